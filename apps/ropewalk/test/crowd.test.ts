/** A thousand clients of `ropewalk serve`, as anybody starts it. */
import { randomId, connectNode, put, query, retrieve, type StorageConnection } from '@ropewalk/protocol-mdsftp'
import { pattern, verify } from '@ropewalk/testing'
import { dial } from '@ropewalk/transport-tcp'
import t from 'tap'
import { parseAddress } from '../src/address.ts'
import { factsOf, folder, startNode } from './processes.ts'

const CLIENTS = 1000
/** So many of them. */
const MOST = 900
/** Chunks that each of them stores and reads, one after the other. */
const CHUNKS = 2
const CHUNK_BYTES = 4096
const MIB = 1024 * 1024
/** Over TLS each connection has half as much again, which is OpenSSL's: 54 KiB. What was seen is 237 to 250 MiB. */
const MOST_BYTES = { tcp: 256 * MIB, tls: 272 * MIB }
/** How many come at the same time: of those that have not said who they are, a node has 64 at most. */
const COMING = 32
/** Whoever is one of a thousand waits, on a busy machine longer. */
const PATIENT = { requestMs: 240_000, progressMs: 240_000, firstFragmentMs: 240_000 }

for (const transport of ['tcp', 'tls'] as const) {
  t.test(`1,000 clients at once over ${transport}: each stores and reads its own, none is starved, and the node has never had ${MOST_BYTES[transport] / MIB} MiB`, async t => {
    const { addresses: [text = ''], stop } = await startNode(t, await folder(t), ['--listen', `mdsftp+${transport}://127.0.0.1:0`, '--max-connections', String(CLIENTS)])
    const address = parseAddress(text)
    const connections: StorageConnection[] = []
    let coming = 0
    await Promise.all(Array.from({ length: COMING }, async () => {
      while (coming < CLIENTS) {
        coming++
        const connection = connectNode(await dial(address, { timeoutMs: 60_000 }), { nodeId: randomId() })
        // It is in when it is answered.
        await query(connection, randomId(), PATIENT)
        connections.push(connection)
      }
    }))
    t.equal(connections.length, CLIENTS)

    const stored = new Array<number>(CLIENTS).fill(0)
    let [ended, leastThen] = [0, -1]
    await Promise.all(connections.map(async (connection, number) => {
      for (let chunk = 0; chunk < CHUNKS; chunk++) {
        const seed = number * CHUNKS + chunk
        const { chunkId } = await put(connection, pattern(CHUNK_BYTES, seed), { size: CHUNK_BYTES, fragmentBytes: CHUNK_BYTES / 4, ...PATIENT })
        await verify(retrieve(connection, chunkId, PATIENT), CHUNK_BYTES, seed)
        stored[number] = chunk + 1
      }
      if (++ended === MOST) leastThen = Math.min(...stored)
    }))
    t.same([...new Set(stored)], [CHUNKS])
    // Who is first of a thousand is chance; what nine tenths of them have had, each has had a part of.
    t.ok(leastThen >= CHUNKS / 2, `when ${MOST} of them had done ${CHUNKS}, the last had done ${leastThen}`)

    await Promise.all(connections.map(async connection => await connection.close()))
    const { stdout } = await stop('SIGTERM')
    const bytes = Number(factsOf(stdout, 'stopped')[0]?.['peak_memory'])
    t.ok(bytes > 0 && bytes < MOST_BYTES[transport], `${Math.round(bytes / MIB)} MiB at the most`)
  })
}
