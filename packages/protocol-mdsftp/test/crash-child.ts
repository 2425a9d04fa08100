/**
 * Nodes on disk, one in each of the given folders, and their clients, in one process, until it is killed. Says on standard
 * output what was promised, behind the number of the node:
 *
 *     reserved ID SIZE durable|fleeting    the id is known
 *     acked ID BYTES                       so many bytes were acknowledged
 *     complete ID                          the upload is over
 *     committing ID, committed ID          before the commit, and when it has resolved
 *     removing ID, removed ID              the same for a removal
 */
import { createHash, randomInt } from 'node:crypto'
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { openSqliteLedger } from '@ropewalk/ledger-sqlite'
import { openFsStore } from '@ropewalk/store-fs'
import { duplexPair } from '@ropewalk/testing'
import { acceptNode, commit, connectNode, put, remove, reserve, serve, StorageNode, upload, type Id, type StorageConnection } from '../src/index.ts'
import { crashContent } from './crash-content.ts'

await Promise.all(process.argv.slice(2).map(async (directory, number) => {
  const store = await openFsStore(join(directory, 'store'))
  const ledger = await openSqliteLedger(join(directory, 'ledger'))
  const node = new StorageNode({ store, ledger, maxBytes: 1_000_000_000, hasher: sha256 })
  const [left, right] = duplexPair()
  void acceptNode(right).then(connection => serve(connection, { node }))
  const connection = connectNode(left, { nodeId: '11223344556647889900aabbccddeeff' })
  await Promise.all(Array.from({ length: 3 }, async () => {
    for (;;) await once(connection, line => writeSync(1, `${number} ${line}\n`))
  }))
}))

async function once (connection: StorageConnection, say: (line: string) => void): Promise<void> {
  const size = randomInt(7) === 0 ? 0 : 1 + randomInt(randomInt(2) === 0 ? 40_000 : 400_000)
  const durable = randomInt(3) > 0
  const fragmentBytes = 8192
  switch (randomInt(4)) {
    case 0: {
      const id = await reserve(connection, size, { durable: true })
      say(`reserved ${id} ${size} durable`)
      return
    }
    case 1: {
      const { chunkId } = await put(connection, crashContent(size), { size, durable, fragmentBytes, onReserved })
      say(`committed ${chunkId}`)
      if (randomInt(3) > 0) return
      say(`removing ${chunkId}`)
      await remove(connection, chunkId)
      say(`removed ${chunkId}`)
      return
    }
    default: {
      let id = ''
      const { chunkId } = await upload(connection, crashContent(size), {
        size, durable, fragmentBytes, onReserved: reserved => onReserved(id = reserved), onEvent: event => { if (event.event === 'progress') say(`acked ${id} ${event.bytes}`) }
      })
      say(`complete ${chunkId}`)
      if (randomInt(2) > 0) return
      say(`committing ${chunkId}`)
      await commit(connection, chunkId)
      say(`committed ${chunkId}`)
    }
  }

  function onReserved (id: Id): void {
    say(`reserved ${id} ${size} ${durable ? 'durable' : 'fleeting'}`)
  }
}

function sha256 (): { update (bytes: Uint8Array): void, digest (): Uint8Array } {
  const hash = createHash('sha256')
  return { update: bytes => { hash.update(bytes) }, digest: () => hash.digest() }
}
