/** How often an upload asks its ledger: each time may be a trip to a disk, or to another machine. */
import type { Ledger } from '@ropewalk/interface'
import t from 'tap'
import { MemoryLedger, put, reserve, retrieve } from '../src/index.ts'
import { nodes } from './nodes.ts'

/** Writes down what is asked, and what is answered. `without`: leases that come with a reservation are not to be had. */
function watched (said: string[], without: boolean = false): Ledger {
  const ledger = new MemoryLedger()
  let denied = !without
  return new Proxy<Ledger>(ledger, {
    get (target, key: keyof Ledger) {
      const own = target[key] as (...args: unknown[]) => unknown
      return async (...args: unknown[]) => {
        said.push(key)
        if (key === 'lease' && !denied) {
          denied = true
          return undefined
        }
        const answer = own.apply(target, args)
        try {
          return await (answer as Promise<unknown>)
        } finally {
          if (key === 'reserve') said.push('reserved')
        }
      }
    }
  })
}

async function upload (ledger: Ledger): Promise<Uint8Array> {
  const { client, node } = await nodes({ node: { ledger } })
  await node.ready
  const { chunkId } = await put(client, [Uint8Array.of(1, 2, 3)], { size: 3 })
  const parts: Uint8Array[] = []
  for await (const bytes of retrieve(client, chunkId)) parts.push(bytes.slice())
  await client.close()
  return Buffer.concat(parts)
}

const STEPS = new Set(['reserve', 'reserved', 'lease', 'complete', 'commit', 'release', 'renew'])

t.test('an upload is reserved and leased in one breath, and its commit asks twice', async t => {
  const said: string[] = []
  t.same([...await upload(watched(said))], [1, 2, 3])
  t.same(said.filter(step => STEPS.has(step)), ['reserve', 'lease', 'reserved', 'complete', 'lease', 'commit'])
})

t.test('a lease that does not come along is asked for', async t => {
  const said: string[] = []
  t.same([...await upload(watched(said, true))], [1, 2, 3])
  t.same(said.filter(step => STEPS.has(step)), ['reserve', 'lease', 'reserved', 'lease', 'complete', 'lease', 'commit'])
})

t.test('what is only reserved is leased by nobody', async t => {
  const said: string[] = []
  const { client, node } = await nodes({ node: { ledger: watched(said) } })
  await node.ready
  const id = await reserve(client, 3)
  t.same(said.filter(step => STEPS.has(step)), ['reserve', 'reserved'])
  t.equal((await node.ledger.get(id))?.leasedUntil, 0)
  await client.close()
})
