import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import t from 'tap'
import { bootId, identify, ownerName, ownerOf, startOf } from '../src/index.ts'

const LINUX = process.platform === 'linux'

t.test('a name says whose it is', async t => {
  const hex = fc.stringMatching(/^[0-9a-f]{1,12}$/)
  const digits = fc.stringMatching(/^\d{1,12}$/)
  fc.assert(fc.property(hex, digits, fc.nat(), digits, hex, (boot, space, pid, start, mark) => {
    t.same(ownerOf(ownerName({ boot, space, pid, start }, mark)), { boot, space, pid, start, mark })
  }))
  const self = await identify()
  const [name, other] = [ownerName(self), ownerName(self)]
  t.match(ownerOf(name), self)
  t.not(name, other, 'one process has several')
})

t.test('any other name is nobody’s', async t => {
  const name = ownerName({ boot: 'ab12', space: '4', pid: 5, start: '6' }, 'cafe')
  for (const bad of ['', 'kept', name.slice(0, -5), `${name}-1`, `${name}.part`, `x${name}`, name.replace('5', '-5'), name.replace('cafe', 'CAFE')]) t.equal(ownerOf(bad), undefined, bad)
})

t.test('we are a process that lives', async t => {
  const self = await identify()
  t.equal(self.pid, process.pid)
  t.equal(await startOf(process.pid), self.start)
  t.same(await identify(), self, 'and stay who we are')
})

t.test('a process that has ended began at no time, and one that lives not when another did', async t => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'inherit'] })
  await once(child, 'spawn')
  const start = await startOf(child.pid as number)
  t.ok(start !== undefined)
  if (LINUX) t.ok(Number(start) > Number(await startOf(process.pid)), 'later than we did')
  child.stdin.end()
  await once(child, 'exit')
  t.equal(await startOf(child.pid as number), undefined)
})

t.test('the machine says which start of it this is', { skip: !LINUX && 'wants Linux' }, async t => {
  t.match(bootId(), /^[0-9a-f]{8}-[0-9a-f-]{27}$/)
  t.equal(bootId(), readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
  t.equal((await identify()).boot, bootId().slice(0, 8))
})
