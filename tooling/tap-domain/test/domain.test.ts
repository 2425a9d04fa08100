import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'

/** Runs a file of tests: its exit code, and each result at the top with its name. */
async function play (t: Test, source: string): Promise<{ code: number, results: string[], output: string }> {
  const at = t.testdir({ 'played.mjs': `import t from 'tap'\n${source}` })
  const child = spawn(process.execPath, [join(at, 'played.mjs')], { env: { ...process.env, NODE_OPTIONS: '', TAP_TIMEOUT: '20' } })
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close') as Promise<[number]>])
  return { code, results: [...output.matchAll(/^((?:not )?ok) \d+ - (.*?)(?: # time=.*)?$/gm)].map(([, result, name]) => `${result}: ${name}`), output: output + errors }
}

/** Never resolves; the process lives until the test is over. */
const FOR_EVER = 'new Promise(() => { const alive = setInterval(() => {}, 1000); t.teardown(() => { clearInterval(alive) }) })'

const THROWN = {
  'in a timer': 'setTimeout(() => { throw new Error("lost") })',
  'in an immediate': 'setImmediate(() => { throw new Error("lost") })',
  'in a microtask': 'queueMicrotask(() => { throw new Error("lost") })',
  'in a next tick': 'process.nextTick(() => { throw new Error("lost") })',
  'as a rejection': 'void Promise.reject(new Error("lost"))',
  'as a rejection that is no error': 'void Promise.reject("lost")',
  'as a rejection later': 'setTimeout(() => { void Promise.reject(new Error("lost")) })'
}

for (const [how, thrown] of Object.entries(THROWN)) {
  t.test(`an error that nobody catches, ${how}: the test fails in which it was thrown, and no other`, async t => {
    const { code, results, output } = await play(t, `
      t.test('before', async t => { t.pass() })
      t.test('while', async t => { ${thrown}; await ${FOR_EVER} })
      t.test('behind', async t => { t.pass() })
    `)
    t.equal(code, 1)
    t.same(results, ['ok: before', 'not ok: while', 'ok: behind'])
    t.match(output, /^ {4}not ok 1 - .*lost/m)
  })
}

t.test('within tests of a test it is the innermost that is not over', async t => {
  const { code, output } = await play(t, `
    t.test('outer', async t => {
      await t.test('first', async t => { t.pass() })
      await t.test('second', async t => { setTimeout(() => { throw new Error('lost') }); await ${FOR_EVER} })
      await t.test('third', async t => { t.pass() })
    })
  `)
  t.equal(code, 1)
  t.same([...output.matchAll(/^ {4}((?:not )?ok) \d+ - (\w+)/gm)].map(([, result, name]) => `${result}: ${name}`), ['ok: first', 'not ok: second', 'ok: third'])
})

t.test('an error behind the end of its test fails the file all the same', async t => {
  for (const thrown of ['throw new Error("lost")', 'void Promise.reject(new Error("lost"))']) {
    const { code, output } = await play(t, `
      t.test('over', async t => { t.pass(); setTimeout(() => { ${thrown} }, 200) })
    `)
    t.equal(code, 1, output)
    t.match(output, /not ok .*lost/)
  }
})

t.test('outside of any test it fails the file', async t => {
  for (const thrown of ['setTimeout(() => { throw new Error("lost") })', 'void Promise.reject(new Error("lost"))']) {
    const { code, output } = await play(t, `
      t.pass()
      ${thrown}
    `)
    t.equal(code, 1, output)
    t.match(output, /not ok .*lost/)
  }
})

t.test('whoever listens to such errors gets them', async t => {
  const { code, results, output } = await play(t, `
    t.test('listens', async t => {
      for (const [name, thrown] of [['uncaughtException', () => { setTimeout(() => { throw new Error('lost') }) }], ['unhandledRejection', () => { void Promise.reject(new Error('lost')) }]]) {
        await new Promise(resolve => { process.once(name, error => { t.equal(error.message, 'lost'); resolve() }); thrown() })
      }
    })
  `)
  t.equal(code, 0, output)
  t.same(results, ['ok: listens'])
})
