import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openSqliteLedger } from '@ropewalk/ledger-sqlite'
import { retrieve, scrub, StorageNode, verify as verifyStored, type Verified } from '@ropewalk/protocol-mdsftp'
import { openFsStore } from '@ropewalk/store-fs'
import { formatId, parseDigest, parseId } from '../arguments.ts'
import type { Context } from '../context.ts'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import { Exit, worst } from '../exit-codes.ts'
import { formatBytes, plural } from '../format.ts'
import { askedFor, forEachObject, type Asked, type ObjectFlags } from '../objects.ts'
import { writeLines } from '../progress/lines.ts'
import { encodeLine } from '../progress/ndjson.ts'
import { LEDGER_FILE, sha256Hash } from '../services/storage.ts'

export interface VerifyFlags extends ObjectFlags {
  readonly store?: string | undefined
  readonly concurrency: number
}

/**
 * Whether what is stored is what was stored. The wire neither tells a digest nor takes a wish to compare one, so from
 * elsewhere every byte is fetched, and compared with the SHA-256 that the caller has; beside the store, with the one that the node keeps.
 */
export async function verify (context: Context, names: readonly string[], flags: VerifyFlags): Promise<Exit> {
  if (flags.store !== undefined) return await verifyStore(context, flags.store, names, flags.json)
  if (names.length === 0) throw new RopewalkError('ERR_USAGE', 'name an id with its SHA-256, or a manifest; --store verifies a whole store')
  const asked = (await Promise.all(names.map(async name => await expectation(name, flags)))).flat()
  return await forEachObject(context, asked, flags, async (node, { id, size, sha256 }, signal) => {
    const hash = createHash('sha256')
    let bytes = 0
    for await (const list of retrieve(node, id, { size, signal })) {
      for (const piece of list) hash.update(piece)
      bytes += list.byteLength
    }
    const digest = hash.digest('hex')
    if (digest !== sha256) throw new RopewalkError('ERR_DAMAGED', `its SHA-256 is ${digest}, not ${String(sha256)}`)
    const text = formatId(id)
    return { record: { event: 'verified', id: text, size: bytes, sha256: digest, outcome: 'whole' }, row: [text, String(bytes), digest], lines: [`whole ${text} (${formatBytes(bytes)})`] }
  }, flags.concurrency)
}

/** `ID=SHA256`, or a manifest. */
async function expectation (name: string, flags: ObjectFlags): Promise<Asked[]> {
  const [, id, digest] = /^([\da-fA-F-]{32,36})=(.+)$/.exec(name) ?? []
  if (id === undefined || digest === undefined) {
    const asked = await askedFor([name], flags)
    if (asked.some(({ sha256 }) => sha256 === undefined)) throw new RopewalkError('ERR_USAGE', 'an id needs the SHA-256 that put has printed: ID=SHA256', { text: name })
    return asked
  }
  return (await askedFor([id], flags)).map(asked => ({ ...asked, sha256: parseDigest(digest) }))
}

/** Everything in a store, or some of it, against what its node has kept. The node must not be running. */
async function verifyStore (context: Context, directory: string, ids: readonly string[], json: boolean): Promise<Exit> {
  const { signal, stdout, stderr } = context
  const wanted = ids.map(parseId)
  await stat(join(directory, LEDGER_FILE)).catch((cause: unknown) => { throw new RopewalkError('ERR_STATE', 'there is no store of a node', { text: directory, cause }) })
  const store = await openFsStore(directory).catch((cause: unknown) => {
    const running = codeOf(cause) === 'ERR_LOCKED'
    throw new RopewalkError('ERR_STATE', running ? 'a node has this store open' : messageOf(cause), {
      text: directory,
      cause,
      advice: running ? ['A node verifies what it has by itself, all of it once a week.', 'Stop it to do it now, or verify from a client.'] : []
    })
  })
  try {
    const ledger = await openSqliteLedger(join(directory, LEDGER_FILE))
    try {
      const node = new StorageNode({ store, ledger, hasher: sha256Hash })
      const exits: Exit[] = []
      let [count, bytes] = [0, 0]
      for await (const verified of wanted.length === 0 ? scrub(node, { bytesPerSecond: Number.MAX_SAFE_INTEGER, signal }) : each(node, wanted, signal)) {
        count++
        bytes += verified.bytes
        exits.push(tell(verified))
      }
      if (!json) writeLines(stderr, `${plural(count, 'object')}, ${formatBytes(bytes)}; ${exits.filter(exit => exit !== Exit.done).length} not right`)
      return worst(exits)
    } finally {
      await ledger.close()
    }
  } finally {
    await store.close()
  }

  function tell ({ chunkId, outcome, bytes }: Verified): Exit {
    const id = formatId(chunkId)
    if (json) stdout.write(encodeLine({ event: 'verified', id, size: bytes, outcome }))
    else stdout.write(stdout.isTTY === true ? `${outcome.padEnd(7)} ${id} (${formatBytes(bytes)})\n` : `${id}\t${bytes}\t${outcome}\n`)
    return outcome === 'damaged' ? Exit.failed : outcome === 'absent' ? Exit.notFound : Exit.done
  }
}

async function * each (node: StorageNode, ids: readonly string[], signal: AbortSignal): AsyncGenerator<Verified> {
  for (const id of ids) yield await verifyStored(node, id, { signal })
}
