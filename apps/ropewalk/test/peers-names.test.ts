/** Names that would do something to a terminal, a log or a program, from a peer that has them on its disk, in everything that both ends write. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { escapeName } from '@ropewalk/receive'
import t from 'tap'
import { pairOf, type Machine } from './machines.ts'
import { factsOf } from './processes.ts'

const NAMES = ['\x1b[2J\x1b[31mred', '\x1b]0;title\x07', 'a\rb', 'line\n{"event":"settled"}', '\x7f', '\x9b31m', 'gpj.\u202eexe', '\u2066x\u2069', 'a\u200bb\ufeff', 'a\u2028b', '\u{e0041}', '"quoted"\\', 'x'.repeat(250)]

/** C0 but the tab between fields and the LF that ends a line, DEL, C1, bidi, zero-width, separators, tags. */
const UNSAFE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/u

t.test('D1: names with ESC, C0, C1, bidi and 250 letters come raw out of no command, of neither node, as text or NDJSON', async t => {
  const { desk, laptop } = await pairOf(t)
  for (const [at, name] of NAMES.entries()) {
    await mkdir(join(desk.files, String(at), 'tree'), { recursive: true })
    await writeFile(join(desk.files, String(at), 'tree', name), 'x')
  }
  await desk.serve()
  const written: Array<[string, string]> = []
  const ran = async (machine: Machine, ...args: string[]): Promise<string> => {
    const { stdout, stderr } = await machine.run(...args)
    // The names are in it: what reads the tests' own output is to be spared them.
    const what = escapeName(args.join(' '))
    written.push([what, stdout], [what, stderr])
    return stdout
  }
  for (const at of NAMES.keys()) {
    await ran(desk, 'send', `${at}/tree`, 'laptop', ...at % 2 === 0 ? ['--json'] : [])
    // Where the name is refused before, there is no path by which it could come out either.
    await ran(desk, 'send', join(`${at}`, 'tree', NAMES[at] as string), 'laptop', ...at % 2 === 0 ? [] : ['--json'])
  }
  for (const machine of [desk, laptop]) {
    await ran(machine, 'offers')
    await ran(machine, 'peers')
  }
  const offers = factsOf(await ran(laptop, 'offers', '--json'), 'offer')
  t.ok(offers.length > 0, `${offers.length} offers came`)
  await ran(laptop, 'accept', 'desk')
  await ran(desk, 'offers', '--json')
  for (const machine of [desk, laptop]) {
    const { stdout, stderr } = await machine.stop()
    written.push([`${machine.name} serve`, stdout], [`${machine.name} serve`, stderr])
  }
  for (const [what, text] of written) t.equal(UNSAFE.exec(text)?.input, undefined, what)
  // None of them makes a line of its own, or one that no program can read.
  for (const [what, text] of written) if (what.includes('--json') || what.endsWith('serve')) for (const line of text.split('\n')) if (line.startsWith('{')) t.doesNotThrow(() => JSON.parse(line), what)
  t.notOk(written.some(([, text]) => text.split('\n').includes('{"event":"settled"}')), 'no line that nobody has written')
  t.ok(written.some(([, text]) => text.includes('x'.repeat(90))), 'names are told')
})

t.test('P1: names that an object of the language has by itself are names like any other, the second time too', async t => {
  const { desk, laptop } = await pairOf(t)
  const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty']
  for (const name of names) {
    await mkdir(join(desk.files, name))
    await writeFile(join(desk.files, name, name), name)
  }
  await desk.serve()
  for (const second of [false, true]) {
    const sent = await desk.run('send', ...names, 'laptop')
    t.equal(sent.code, 0, sent.stderr)
    const accepted = await laptop.run('accept', 'desk')
    t.equal(accepted.code, 0, accepted.stderr)
    const there = names.map(name => second ? `${name} 2` : name)
    t.same((await readdir(laptop.inbox)).filter(name => !name.startsWith('.')).sort(), [...names, ...second ? there : []].sort())
    for (const [at, name] of names.entries()) t.equal(await readFile(join(laptop.inbox, there[at] as string, name), 'utf8'), name)
  }
})
