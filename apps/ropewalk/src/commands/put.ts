import { basename, join } from 'node:path'
import { put as putObject, type StorageConnection } from '@ropewalk/protocol-mdsftp'
import { escapeName } from '@ropewalk/receive'
import { ObjectNotes } from '../activity/object-names.ts'
import { formatId } from '../arguments.ts'
import { formatAddress } from '../address.ts'
import { runBatch, type Turn } from '../batch.ts'
import type { Context } from '../context.ts'
import { RopewalkError } from '../errors.ts'
import type { Exit } from '../exit-codes.ts'
import { formatBytes } from '../format.ts'
import { keptWhole } from '../kept.ts'
import { Report, type Result } from '../progress/report.ts'
import { nodeAddress, withSession, type SessionFlags } from '../session.ts'
import { sizeOf, SourceFile } from '../source-file.ts'
import { spool } from '../spool.ts'
import { statePath } from '../state-directory.ts'
import type { Transfer } from '../transfer.ts'
import { putParts, wantsParts } from './put-parts.ts'

export interface PutFlags extends SessionFlags {
  readonly to?: string | undefined
  /** Default: as many as suit their sizes. */
  readonly concurrency: number | undefined
  readonly spoolLimit: number
  /** Outlives the connection, the node and this process. */
  readonly durable: boolean
  /** Goes on with what was interrupted. */
  readonly resume: boolean
  /** Seconds that attempts may bring nothing new. */
  readonly retryFor: number
  /** Where manifests go. */
  readonly output?: string | undefined
  readonly force: boolean
}

/** Stores files, all of them over one connection, each on a channel of its own. */
export async function put (context: Context, files: readonly string[], flags: PutFlags): Promise<Exit> {
  if (files.indexOf('-') !== files.lastIndexOf('-')) throw new RopewalkError('ERR_USAGE', 'standard input can be read only once')
  if (files.length === 0 && !flags.resume) throw new RopewalkError('ERR_USAGE', 'name a file; or say --resume to go on with what was interrupted')
  if (wantsParts(flags)) return await putParts(context, files, flags)
  const address = nodeAddress(flags.to, flags.allowPlaintext)
  const expected = { files: files.length, bytes: await sizeOfAll(files) }
  await using notes = new ObjectNotes(statePath(context.env))

  return await withSession(context, address, flags, async (node, channels) => {
    const report = new Report({ ...context, json: flags.json, expected, label: basename })
    return await runBatch({
      items: files,
      nameOf: file => file,
      direction: 'send',
      concurrency: flags.concurrency,
      small: node.courtesy === undefined,
      signal: context.signal,
      report,
      channels,
      kept: count => keptWhole(count, files.length, 'stored', what => `The same command stores ${what}; "put --durable" keeps what was sent, and "put --resume" goes on with it`),
      work: async (file, transfer, turn) => await putFile(node, file, transfer, turn)
    })
  }).finally(() => { context.stdin.destroy() })

  async function putFile (node: StorageConnection, file: string, transfer: Transfer, turn: Turn): Promise<Result> {
    const { signal } = context
    await using source = file === '-'
      ? await SourceFile.of(await spool(context.stdin, join(statePath(context.env), 'spool'), flags.spoolLimit, signal))
      : await SourceFile.open(file)
    await turn(source.size)
    transfer.started(source.size)
    const { chunkId } = await putObject(node, source, { size: source.size, name: file, signal, onEvent: transfer.follow })
    if (file !== '-') notes.note(formatId(chunkId), basename(file))
    return stored(file, formatId(chunkId), source.size, source.digest(), formatAddress(address))
  }
}

function stored (file: string, id: string, size: number, sha256: string, address: string): Result {
  const name = escapeName(file)
  return {
    record: { event: 'stored', name: file, id, size, sha256, address },
    row: [id, String(size), sha256, name],
    lines: [`${id}  ${name} (${formatBytes(size)})`, `  sha256 ${sha256}`]
  }
}

/** Bytes of all files together; undefined where that cannot be said. What is wrong with one of them is for its transfer to tell. */
async function sizeOfAll (files: readonly string[]): Promise<number | undefined> {
  if (files.includes('-')) return undefined
  let bytes = 0
  for (const file of files) bytes += await sizeOf(file) ?? 0
  return bytes
}
