/**
 * Both ends killed with SIGKILL at random moments: what is served is whole, and what was confirmed is there.
 * `ROPEWALK_ROUNDS` says how often each.
 */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openFsStore } from '@ropewalk/store-fs'
import t from 'tap'
import { Command, facts, factsOf, folder, run, startNode } from './processes.ts'

const ROUNDS = Number(process.env['ROPEWALK_ROUNDS'] ?? 10)
const SIZES = [0, 1, 5000, 262_144, 300_000, 1_500_000]

function sha256 (bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Files of which every byte differs from that of any other. */
async function sources (path: string): Promise<{ files: string[], digests: Set<string> }> {
  const digests = new Set<string>()
  const files = await Promise.all(SIZES.map(async (size, index) => {
    const content = Buffer.alloc(size)
    for (let at = 0; at < size; at++) content[at] = (at * 31 + (at >> 8) * 7 + index * 13) & 0xff
    digests.add(sha256(content))
    const file = join(path, `file-${index}`)
    await writeFile(file, content)
    return file
  }))
  return { files, digests }
}

/** Kills `victim` at a moment of the put that nobody can foresee: after so many of its events, and some turns more. */
async function killDuring (put: Command, victim: Command): Promise<void> {
  const events = Math.floor(Math.random() * 24)
  // It may be over before so many have come: then that was the moment.
  await put.until(({ stdout }) => facts(stdout).length >= events).catch(() => {})
  for (let turns = Math.floor(Math.random() * 200); turns > 0; turns--) await new Promise(resolve => setImmediate(resolve))
  victim.kill('SIGKILL')
}

/** SHA-256 of every committed object. */
async function committed (directory: string): Promise<Map<string, string>> {
  const store = await openFsStore(directory)
  const found = new Map<string, string>()
  try {
    for await (const { id, size, committed } of store.list()) {
      if (!committed) continue
      const reader = await store.read(id)
      const content = new Uint8Array(size)
      for (let at = 0; at < size;) at += await reader.read(content.subarray(at), at)
      await reader.close()
      found.set(id, sha256(content))
    }
    return found
  } finally {
    await store.close()
  }
}

t.test(`put killed ${ROUNDS} times: nothing half is served, and what it confirmed is there`, async t => {
  const [state, path] = [await folder(t), await folder(t)]
  const { files, digests } = await sources(path)
  const { addresses: [address = ''], stop } = await startNode(t, state)
  const confirmed = new Map<string, string>()
  let cut = 0

  for (let round = 0; round < ROUNDS; round++) {
    const put = new Command(['put', ...files, '--to', address, '--json'], { state })
    await killDuring(put, put)
    const { signal, stdout } = await put.ended
    if (signal === 'SIGKILL') cut++
    for (const { id, sha256: digest } of factsOf(stdout, 'stored')) confirmed.set(String(id).replaceAll('-', ''), String(digest))
  }

  t.equal((await stop('SIGTERM')).code, 0)
  const served = await committed(join(state, 'store'))
  t.ok(cut > 0, `${cut} of ${ROUNDS} were cut short`)
  t.same([...served.values()].filter(digest => !digests.has(digest)), [], `${served.size} objects, all whole`)
  t.same([...confirmed].filter(([id, digest]) => served.get(id) !== digest), [], `${confirmed.size} confirmed, all there`)
})

t.test(`a node killed ${ROUNDS} times starts again with everything it has confirmed, and nothing half`, async t => {
  const [state, path] = [await folder(t), await folder(t)]
  const { files, digests } = await sources(path)
  const confirmed = new Map<string, string>()
  const codes = new Set<number | null>()

  for (let round = 0; round < ROUNDS; round++) {
    const { addresses: [address = ''], command: node, stop } = await startNode(t, state)
    const put = new Command(['put', ...files, '--to', address, '--json'], { state })
    await killDuring(put, node)
    const { code, stdout } = await put.ended
    codes.add(code)
    await stop('SIGKILL')
    for (const { id, sha256: digest } of factsOf(stdout, 'stored')) confirmed.set(String(id), String(digest))
  }
  t.same([...codes].filter(code => code !== 0 && code !== 1 && code !== 3), [], 'put says that it failed')

  const { addresses: [address = ''], stop } = await startNode(t, state)
  const found = await run(['stat', ...confirmed.keys(), '--at', address, '--json'], { state })
  t.equal(found.code, 0, `${confirmed.size} confirmed, all served`)
  t.equal((await stop('SIGTERM')).code, 0)
  const served = await committed(join(state, 'store'))
  t.same([...served.values()].filter(digest => !digests.has(digest)), [], `${served.size} objects, all whole`)
  t.same([...confirmed].filter(([id, digest]) => served.get(id.replaceAll('-', '')) !== digest), [])
})
