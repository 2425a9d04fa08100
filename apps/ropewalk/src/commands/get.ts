import { createHash } from 'node:crypto'
import { query, retrieve, type StorageConnection } from '@ropewalk/protocol-mdsftp'
import { escapeName, openReceiver, type Receiver } from '@ropewalk/receive'
import type { Uint8ArrayList } from 'uint8arraylist'
import { formatId, type Span } from '../arguments.ts'
import { runBatch, type Turn } from '../batch.ts'
import type { Context } from '../context.ts'
import { parseDestination } from '../destination.ts'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import type { Exit } from '../exit-codes.ts'
import { formatBytes } from '../format.ts'
import { keptWhole } from '../kept.ts'
import { parseTarget } from '../parts/targets.ts'
import { Report, type Result } from '../progress/report.ts'
import { nodeAddress, withSession, type SessionFlags } from '../session.ts'
import type { Transfer } from '../transfer.ts'
import { getParts } from './get-parts.ts'

export interface GetFlags extends SessionFlags {
  readonly from?: string | undefined
  readonly output?: string | undefined
  readonly range?: Span | undefined
  readonly expect?: string | undefined
  readonly force: boolean
  /** Keep what came of a file that was not finished, and go on with it. */
  readonly resume: boolean
  /** Default: as many as suit their sizes. */
  readonly concurrency: number | undefined
}

interface Wanted {
  readonly node: StorageConnection
  readonly id: string
  readonly transfer: Transfer
  readonly turn: Turn
  readonly flags: GetFlags
  readonly signal: AbortSignal
}

/** Content that is lent: each of its arrays is valid until the next is asked for. */
type Content = AsyncIterable<Uint8ArrayList>

/** Hashes what is delivered; `check` fails when it is not what was expected. */
interface Digest { update (bytes: Uint8ArrayList): void, check (): string }

/** Where the content of one object goes. Resolves to the path that it got; undefined on standard output. */
type Deliver = (content: Content, digest: Digest, id: string, size: number | undefined) => Promise<string | undefined>

/** Fetches objects, all of them over one connection. */
export async function get (context: Context, ids: readonly string[], flags: GetFlags): Promise<Exit> {
  if (flags.expect !== undefined && ids.length > 1) throw new RopewalkError('ERR_USAGE', `--expect is for one object, not for ${ids.length}`)
  const targets = await Promise.all(ids.map(parseTarget))
  if (flags.resume || targets.some(({ kind }) => kind === 'manifest')) return await getParts(context, targets, flags)
  const wanted = targets.flatMap(target => target.kind === 'object' ? [target.id] : [])
  const destination = await parseDestination(flags.output, ids.length)
  const address = nodeAddress(flags.from, flags.allowPlaintext)

  return await withSession(context, address, flags, async (node, channels) => {
    if (destination.kind === 'stdout') return await fetchAll(node, channels, toStdout(context))
    // The name is this user's own choice, or an id.
    await using receiver = await openReceiver(destination.root, { dangerous: 'allow' })
    return await fetchAll(node, channels, toFiles(receiver, destination.name, flags.force, context.signal))
  })

  async function fetchAll (node: StorageConnection, channels: () => number, deliver: Deliver): Promise<Exit> {
    const dataOnStdout = destination.kind === 'stdout'
    const report = new Report({ ...context, json: flags.json, dataOnStdout, expected: { files: wanted.length } })
    return await runBatch({
      items: wanted,
      nameOf: formatId,
      direction: 'receive',
      concurrency: flags.concurrency,
      small: node.courtesy === undefined,
      signal: context.signal,
      report,
      channels,
      kept: count => keptWhole(count, wanted.length, 'whole', what => `The same command fetches ${what}; with --resume it keeps what comes, and goes on with it`),
      work: async (id, transfer, turn) => await fetchOne({ node, id, transfer, turn, flags, signal: context.signal }, deliver)
    })
  }
}

async function fetchOne ({ node, id, transfer, turn, flags, signal }: Wanted, deliver: Deliver): Promise<Result> {
  const { range, expect } = flags
  const seed = node.profile.name === 'seed'
  if (seed && range !== undefined) throw new RopewalkError('ERR_USAGE', 'the seed profile has no ranges')
  const known = seed ? undefined : await query(node, id, { signal })
  if (known === undefined && !seed) throw new RopewalkError('ERR_NOT_FOUND', 'the node has no such object')
  const span = known === undefined ? undefined : extentOf(range, known.size)
  const size = span === undefined ? undefined : span.end - span.start
  await turn(size)
  transfer.started(size)

  const digest = digestOf(expect)
  const content = retrieve(node, id, { size: known?.size, range: range === undefined ? undefined : span, lend: true, signal, onEvent: transfer.follow })
  const path = await deliver(content, digest, id, size)
  return received(formatId(id), size ?? transfer.bytes, digest.check(), path)
}

function extentOf (range: Span | undefined, size: number): { start: number, end: number } {
  const { start, end } = { start: range?.start ?? 0, end: Math.min(range?.end ?? size, size) }
  if (start > size) throw new RopewalkError('ERR_RANGE', `the range begins at ${start} > ${size} bytes`)
  return { start, end }
}

function digestOf (expect: string | undefined): Digest {
  const hash = createHash('sha256')
  let digest: string | undefined
  return {
    update (bytes) { for (const piece of bytes) hash.update(piece) },
    check () {
      digest ??= hash.digest('hex')
      if (expect !== undefined && digest !== expect) throw new RopewalkError('ERR_DIGEST', `its SHA-256 is ${digest}, not ${expect}`)
      return digest
    }
  }
}

function toFiles (receiver: Receiver, name: string | undefined, force: boolean, signal: AbortSignal): Deliver {
  return async (content, digest, id, size) => {
    try {
      await using writer = await receiver.file(name ?? formatId(id), { size, overwrite: force ? 'replace' : 'refuse', signal })
      for await (const bytes of content) {
        const written = writer.write(bytes)
        // While the disk takes them.
        digest.update(bytes)
        await written
      }
      // Before anybody sees the file under its name.
      digest.check()
      return (await writer.finish()).path
    } catch (error) {
      signal.throwIfAborted()
      if (codeOf(error) !== 'ERR_EXISTS') throw error
      throw new RopewalkError('ERR_EXISTS', `${messageOf(error)}; --force replaces it`, { cause: error })
    }
  }
}

function toStdout ({ stdout, signal }: Context): Deliver {
  return async (content, digest) => {
    for await (const bytes of content) {
      digest.update(bytes)
      for (const piece of bytes) await written(stdout, piece, signal)
    }
    digest.check()
    return undefined
  }
}

/** Resolves when the system has the bytes, not before: their memory is lent. */
function written (stdout: Context['stdout'], bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => { reject(signal.reason as Error) }
    signal.addEventListener('abort', stop, { once: true })
    stdout.write(bytes, error => {
      signal.removeEventListener('abort', stop)
      if (error == null) resolve()
      else reject(error)
    })
  })
}

function received (id: string, size: number, sha256: string, path: string | undefined): Result {
  const shown = path === undefined ? 'standard output' : escapeName(path)
  return {
    record: { event: 'received', id, size, sha256, path: path ?? null },
    row: [id, String(size), sha256, shown],
    lines: [`${id}  ${formatBytes(size)}`, `  ${path === undefined ? 'to' : 'in'} ${shown}`, `  sha256 ${sha256}`]
  }
}
