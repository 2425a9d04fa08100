import { constants, openSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import t from 'tap'
import { copyTo, DIRECT_BYTES, DIRECT_FLAG, DirectFile, fileOf, sharedMemory } from '../src/index.ts'

const BYTES = 64

t.test('what is set is what would be set in any other memory', t => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: BYTES + 2 }), fc.integer({ min: -1, max: BYTES + 1 }), fc.boolean(), (bytes, at, asList) => {
    const [here, there, copied] = [new Uint8Array(BYTES).fill(7), sharedMemory(BYTES).fill(7), sharedMemory(BYTES).fill(7)]
    const from = asList ? [...bytes] : bytes
    const refused = [() => { here.set(from, at) }, () => { there.set(from, at) }].map(work => {
      try {
        work()
        return undefined
      } catch (error) {
        return (error as Error).name
      }
    })
    if (refused[0] === undefined) copyTo(copied, at, bytes)
    if (refused[0] === undefined && at > 0) there.fill(7, at - 1).subarray(at - 1).set(from, 1)
    t.equal(refused[1], refused[0])
    t.strictSame([...there], [...here])
    t.strictSame([...copied], [...here])
    return true
  }), { numRuns: 300 })
  t.end()
})

t.test('another thread sees it, and the disk takes it past the cache as it lies', async t => {
  const memory = sharedMemory(DIRECT_BYTES)
  for (let at = 0; at < memory.length; at += 4096) memory.set(Uint8Array.from({ length: 4096 }, (_, index) => index * 7 + at / 4096), at)
  const thread = new Worker('require("node:worker_threads").parentPort.on("message", bytes => { bytes[0] = 99; require("node:worker_threads").parentPort.postMessage(bytes.length) })', { eval: true })
  t.teardown(() => thread.terminate())
  thread.postMessage(memory)
  const [length] = await once(thread, 'message') as [number]
  t.equal(length, memory.length)
  t.equal(memory[0], 99)

  const folder = await mkdtemp(join(tmpdir(), 'disk-shared-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'file')
  for (const flag of [0, ...DIRECT_FLAG === undefined ? [] : [DIRECT_FLAG]]) {
    const file = new DirectFile(() => fileOf(openSync(path, constants.O_WRONLY | constants.O_CREAT | flag)))
    const written = await file.write([memory], 0)
    await file.close()
    // A file system may refuse the flag, as that of memory does on older systems; then nothing is written.
    t.ok(written === DIRECT_BYTES || (written === 0 && flag !== 0), `${written}`)
    t.equal(Buffer.compare(readFileSync(path), memory), 0)
  }
})
