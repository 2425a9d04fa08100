/**
 * `get` of what lies in parts on several nodes, or is gone on with after an interruption.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { query, retrieve } from '@ropewalk/protocol-mdsftp'
import { escapeName } from '@ropewalk/receive'
import { formatId } from '../arguments.ts'
import { runBatch } from '../batch.ts'
import type { Context } from '../context.ts'
import { parseDestination } from '../destination.ts'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import type { Exit } from '../exit-codes.ts'
import { formatBytes, formatDuration } from '../format.ts'
import { soFar } from '../kept.ts'
import { mayComeBack, Nodes, type NodeChoice } from '../nodes.ts'
import { PartialFile, type Piece, type Wanted } from '../parts/partial-file.ts'
import { guardedNode, namedNode, type Target } from '../parts/targets.ts'
import { Report, type Result } from '../progress/report.ts'
import type { Transfer } from '../transfer.ts'
import type { GetFlags } from './get.ts'

/** Attempts that may bring nothing new, and the wait after the first of them, doubled with each. Ours. */
const MAX_ATTEMPTS = 6
const FIRST_WAIT_MS = 500

/** A piece, and from where in which object it comes. */
interface Source extends Piece {
  readonly node: NodeChoice
  /** Where it begins in its object, and how long that is. */
  readonly start: number
  readonly whole: number
}

interface Fetch extends Wanted {
  readonly pieces: readonly Source[]
  readonly name: string
}

/** Fetches files from wherever their parts are, several parts at once. */
export async function getParts (context: Context, targets: readonly Target[], flags: GetFlags): Promise<Exit> {
  const { signal } = context
  const { range, expect, force } = flags
  const destination = await parseDestination(flags.output, targets.length)
  // Before anybody is asked: an address that must not be used is trouble with the whole command.
  for (const target of targets) if (target.kind === 'manifest') for (const { address } of target.manifest.parts) guardedNode(address, flags.allowPlaintext)
  const dataOnStdout = destination.kind === 'stdout'
  if (dataOnStdout && flags.resume) throw new RopewalkError('ERR_USAGE', 'standard output cannot be gone on with')
  const report = new Report({ ...context, json: flags.json, dataOnStdout, expected: { files: targets.length } })
  await using nodes = new Nodes(context, flags)
  return await runBatch({
    items: targets,
    nameOf: target => target.kind === 'object' ? formatId(target.id) : target.manifest.name,
    direction: 'receive',
    concurrency: flags.concurrency,
    signal,
    report,
    channels: nodes.channels,
    kept: count => dataOnStdout ? 'what was written is all there is. The same command begins anew' : `${soFar(count, targets.length, 'whole')}. What came of the rest is kept, and the same command, with --resume where an id is named, goes on with it`,
    work: async (target, transfer) => {
      const fetch = await describe(target)
      transfer.started(fetch.size)
      const id = target.kind === 'object' ? formatId(target.id) : null
      if (destination.kind === 'stdout') return received(id, fetch, await toStdout(fetch, transfer), undefined)
      await mkdir(destination.root, { recursive: true })
      const path = join(destination.root, destination.name ?? fetch.name)
      return received(id, fetch, ...await toFile(path, fetch, transfer))
    }
  })

  /** What is to be fetched, piece by piece. */
  async function describe (target: Target): Promise<Fetch> {
    const { size, parts, sha256, name } = target.kind === 'object' ? await describeObject(target.id) : describeManifest(target)
    const [start, end] = [range?.start ?? 0, Math.min(range?.end ?? size, size)]
    if (start > size) throw new RopewalkError('ERR_RANGE', `the range begins at ${start} > ${size} bytes`)
    const pieces = parts.flatMap(({ node, id, offset, size: whole, sha256: own }): Source[] => {
      const [from, to] = [Math.max(offset, start), Math.min(offset + whole, end)]
      if (from >= to) return []
      return [{ node, id, offset: from - start, size: to - from, start: from - offset, whole, sha256: to - from === whole ? own : undefined }]
    })
    return { name, size: end - start, sha256: end - start === size ? sha256 : undefined, pieces }
  }

  async function describeObject (id: string): Promise<{ size: number, parts: Array<Pick<Source, 'node' | 'id' | 'offset' | 'size' | 'sha256'>>, sha256: undefined, name: string }> {
    const node = namedNode(flags.from, flags.allowPlaintext)
    const known = await nodes.use(node, async connection => {
      if (connection.profile.name === 'seed') throw new RopewalkError('ERR_USAGE', 'the seed profile has no ranges to go on with')
      return await query(connection, id, { signal })
    }, { signal })
    if (known === undefined) throw new RopewalkError('ERR_NOT_FOUND', 'the node has no such object')
    return { size: known.size, sha256: undefined, name: formatId(id), parts: [{ node, id, offset: 0, size: known.size, sha256: undefined }] }
  }

  function describeManifest ({ manifest }: Extract<Target, { kind: 'manifest' }>): { size: number, parts: Array<Pick<Source, 'node' | 'id' | 'offset' | 'size' | 'sha256'>>, sha256: string, name: string } {
    const { size, sha256, name, parts } = manifest
    return { size, sha256, name, parts: parts.map(({ address, ...part }) => ({ ...part, node: guardedNode(address, flags.allowPlaintext) })) }
  }

  async function toFile (path: string, fetch: Fetch, transfer: Transfer): Promise<[string, string]> {
    if (!force && await stat(path).then(() => true, () => false)) throw new RopewalkError('ERR_EXISTS', `${escapeName(path)} exists already; --force replaces it`)
    await using file = await PartialFile.open(path, fetch)
    const before = file.done()
    if (before > 0) {
      if (flags.json) report.fact({ event: 'resumed', name: fetch.name, size: fetch.size, bytes: before })
      else report.note(`${escapeName(fetch.name)}: going on at ${formatBytes(before)} of ${formatBytes(fetch.size)}`)
    }
    transfer.moved(before)
    await file.record()
    // The first that cannot go on ends the others; what they have is kept.
    const failed = new AbortController()
    const ended = AbortSignal.any([signal, failed.signal])
    const results = await Promise.allSettled(fetch.pieces.map(async (piece, index) => {
      try {
        await fetchPiece(piece, index, file, transfer, ended)
      } catch (error) {
        failed.abort(error)
        throw error
      }
    }))
    // Of nothing there is nothing to go on with.
    const failure = results.find(({ status }) => status === 'rejected')
    if (failure !== undefined) await (file.done() > 0 ? file.record() : file.discard())
    signal.throwIfAborted()
    if (failure !== undefined) throw failed.signal.reason
    try {
      const sha256 = await file.check(expect, signal)
      return [sha256, await file.finish(force)]
    } catch (error) {
      // Of an object that is another than was expected nothing is worth keeping.
      if (codeOf(error) === 'ERR_DIGEST' && fetch.sha256 === undefined) await file.discard()
      throw error
    }
  }

  async function fetchPiece (piece: Source, index: number, file: PartialFile, transfer: Transfer, ended: AbortSignal): Promise<void> {
    for (let attempt = 1; file.done(index) < piece.size;) {
      const done = file.done(index)
      try {
        await nodes.use(piece.node, async connection => {
          const span = { start: piece.start + done, end: piece.start + piece.size }
          for await (const bytes of retrieve(connection, piece.id, { size: piece.whole, range: span, signal: ended })) {
            await file.append(index, bytes)
            transfer.moved(file.done())
          }
        }, { signal: ended })
      } catch (error) {
        ended.throwIfAborted()
        if (!mayComeBack(error)) throw error
        attempt = file.done(index) > done ? 1 : attempt + 1
        if (attempt > MAX_ATTEMPTS) throw error
        const waitMs = FIRST_WAIT_MS * 2 ** (attempt - 1)
        report.note(`${escapeName(piece.id)}: ${escapeName(messageOf(error))} (${codeOf(error)}); again in ${formatDuration(waitMs)}`)
        await pause(waitMs, undefined, { signal: ended })
      }
    }
  }

  /** In their order, one piece at a time: a pipe cannot take them otherwise. */
  async function toStdout ({ pieces, sha256 }: Fetch, transfer: Transfer): Promise<string> {
    const hash = createHash('sha256')
    let moved = 0
    for (const { node, id, start, size, whole } of pieces) {
      await nodes.use(node, async connection => {
        for await (const bytes of retrieve(connection, id, { size: whole, range: { start, end: start + size }, signal })) {
          for (const piece of bytes) {
            hash.update(piece)
            if (!context.stdout.write(piece)) await once(context.stdout, 'drain', { signal })
          }
          moved += bytes.byteLength
          transfer.moved(moved)
        }
      }, { signal })
    }
    const digest = hash.digest('hex')
    const wanted = [sha256, expect].find(each => each !== undefined && each !== digest)
    if (wanted !== undefined) throw new RopewalkError('ERR_DIGEST', `its SHA-256 is ${digest}, not ${wanted}`)
    return digest
  }
}

function received (id: string | null, { name, size }: Fetch, sha256: string, path: string | undefined): Result {
  const shown = path === undefined ? 'standard output' : escapeName(path)
  return {
    record: { event: 'received', id, ...id === null ? { name } : {}, size, sha256, path: path ?? null },
    row: [id ?? escapeName(name), String(size), sha256, shown],
    lines: [`${id ?? escapeName(name)}  ${formatBytes(size)}`, `  ${path === undefined ? 'to' : 'in'} ${shown}`, `  sha256 ${sha256}`]
  }
}
