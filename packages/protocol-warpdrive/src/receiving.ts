/**
 * Downloads what was accepted: from the original in one stream, from our own peers file by file, several at a time.
 *
 * @module
 */
import { askRange, begun, download, downloaded, endSession, finishDownload, settleOffer } from './client.ts'
import { ASKED_AHEAD, type Outcome } from './constants.ts'
import { ContentCheck } from './content-digest.ts'
import { WarpdriveError } from './errors.ts'
import type { FileInfo } from './json-codec.ts'
import { blockBytesOf, isExtended } from './manifest-codec.ts'
import type { Inbox, InboxWriter, Sha256, StoredOffer } from './ports.ts'
import type { Session } from './session.ts'

export interface Receiving {
  readonly offer: StoredOffer
  readonly inbox: Inbox
  readonly sha256: Sha256
  readonly parallel: number
  readonly progressMs: number
  readonly signal: AbortSignal
  open (): Promise<Session>
  isDone (index: number): boolean
  keptOf (index: number): number
  progress (index: number, bytes: number): void
  keep (index: number, bytes: number, whole: boolean): void
  /** An entry failed alone. */
  fail (index: number, error: WarpdriveError): void
}

/** The peer has confirmed when `first` is called. */
export async function receiveOffer (receiving: Receiving, first: () => void): Promise<void> {
  let told = false
  const whenBegun = (): void => {
    if (!told) first()
    told = true
  }
  await (isExtended(receiving.offer.files) ? receiveParallel(receiving, whenBegun) : receiveStream(receiving, whenBegun))
}

/** The inbox knows better than a state that was written before the last bytes were. */
export function recall ({ id, peer, files }: StoredOffer, inbox: Inbox, keep: Receiving['keep']): void {
  if (inbox.kept === undefined) return
  for (const [index, { uri, isDir, link }] of files.entries()) {
    if (isDir || link !== undefined) continue
    const { bytes, whole } = inbox.kept(uri, { peer, offer: id })
    keep(index, bytes, whole)
  }
}

/** Tells the peer what became of its offer, where it understands that. It may not hear it: what is ours is done. */
export async function tellOutcome (open: () => Promise<Session>, { id, files }: StoredOffer, outcome: Outcome): Promise<void> {
  if (!isExtended(files)) return
  try {
    const session = await open()
    await settleOffer(session, id, outcome).catch((error: unknown) => { session.abort(error as Error); throw error })
    await endSession(session)
  } catch {
    // It will see what it was asked for.
  }
}

async function receiveStream (receiving: Receiving, whenBegun: () => void): Promise<void> {
  const { offer: { id, files } } = receiving
  const contents = files.flatMap(({ isDir, link }, index) => isDir || link !== undefined ? [] : [index])
  // Where it goes on: at the first content that is not whole. The inbox may know of more than the state did when it was written.
  const start = contents.find(index => !receiving.isDone(index)) ?? (contents.length > 0 || receiving.offer.index >= files.length ? files.length : 0)
  const offset = start === files.length ? 0 : receiving.keptOf(start)
  const fresh = offset === 0 && start < files.length && (contents.length === 0 || start === contents[0])
  const session = await receiving.open()
  try {
    await download(session, id, fresh ? -1 : start, offset)
    whenBegun()
    for (const [index, file] of files.entries()) {
      if (index >= start || file.isDir) await receiveEntry(receiving, session, index, index === start ? offset : 0)
    }
    await finishDownload(session)
  } catch (error) {
    session.abort(error as Error)
    throw error
  }
}

async function receiveParallel (receiving: Receiving, whenBegun: () => void): Promise<void> {
  const { files } = receiving.offer
  const contents: number[] = []
  const failed: WarpdriveError[] = []
  for (const [index, file] of files.entries()) {
    if (!file.isDir && file.link === undefined) {
      if (!receiving.isDone(index)) contents.push(index)
    } else await attempt(receiving, index, failed, () => receiveEntry(receiving, undefined, index, 0))
  }
  if (contents.length === 0) whenBegun()
  const stop = new AbortController()
  const lanes = Math.min(receiving.parallel, contents.length)
  const ahead = Math.min(ASKED_AHEAD, Math.ceil(contents.length / lanes))
  const results = await Promise.allSettled(Array.from({ length: lanes }, () => receiveLane(receiving, contents, ahead, failed, stop, whenBegun)))
  if (stop.signal.aborted) throw stop.signal.reason
  for (const result of results) if (result.status === 'rejected') throw result.reason
  if (failed.length === 1) throw failed[0]
  if (failed.length > 1) throw new WarpdriveError('ERR_INCOMPLETE', `${failed.length} of ${files.length} entries failed`, { scope: 'transfer', cause: failed[0] })
}

/** Entries one after the other on one session, asked for ahead. Those that fail alone are noted; what breaks the channel breaks all lanes. */
async function receiveLane (receiving: Receiving, contents: number[], ahead: number, failed: WarpdriveError[], stop: AbortController, whenBegun: () => void): Promise<void> {
  const { id } = receiving.offer
  let session: Session | undefined
  let asked: Array<readonly [index: number, offset: number]> = []
  const breakOff = (): void => { session?.abort(stop.signal.reason as Error) }
  stop.signal.addEventListener('abort', breakOff)
  try {
    while (contents.length > 0 || asked.length > 0) {
      stop.signal.throwIfAborted()
      session ??= await receiving.open()
      while (asked.length < ahead && contents.length > 0) {
        const index = contents.shift() as number
        const offset = receiving.keptOf(index)
        asked.push([index, offset])
        await askRange(session, id, index, offset)
      }
      const [index, offset] = asked[0] as readonly [number, number]
      const current = session
      await attempt(receiving, index, failed, async () => {
        await begun(current)
        whenBegun()
        await receiveEntry(receiving, current, index, offset)
      })
      asked.shift()
      if (receiving.isDone(index)) await session.send(Uint8Array.of(0))
      else {
        // Whatever is still on its way belongs to the entry that failed.
        session.abort(new WarpdriveError('ERR_INTERRUPTED', 'an entry failed', { remote: false }))
        session = undefined
        contents.unshift(...asked.map(([index]) => index))
        asked = []
      }
    }
    if (session !== undefined) await endSession(session)
  } catch (error) {
    session?.abort(error as Error)
    stop.abort(error)
    throw error
  } finally {
    stop.signal.removeEventListener('abort', breakOff)
  }
}

/** Notes an entry that failed alone; what concerns more than the entry is thrown. */
async function attempt (receiving: Receiving, index: number, failed: WarpdriveError[], work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (receiving.signal.aborted || !(error instanceof WarpdriveError) || error.scope !== 'transfer') throw error
    receiving.fail(index, error)
    failed.push(error)
  }
}

async function receiveEntry (receiving: Receiving, session: Session | undefined, index: number, offset: number): Promise<void> {
  const { offer, inbox, signal } = receiving
  const file = offer.files[index] as FileInfo
  if (file.isDir) {
    // The base folder itself is there.
    if (file.uri !== '' && file.uri !== '.') await ours(inbox.directory(file.uri, { peer: offer.peer, offer: offer.id, mode: file.perm & 0o777 | 0o700, mtimeMs: file.mtimeMs, signal }))
  } else if (file.link !== undefined) {
    if (inbox.link === undefined) throw new WarpdriveError('ERR_SYMLINK', 'the inbox takes no symbolic links', { remote: false, scope: 'transfer' })
    await ours(inbox.link(file.uri, file.link, { signal }))
  } else if (session !== undefined) {
    const writer = await ours(inbox.file(file.uri, {
      peer: offer.peer, offer: offer.id, size: file.size, mode: file.perm & 0o777 | 0o600, mtimeMs: file.mtimeMs, offset, signal
    }))
    await receiveContent(receiving, session, index, file, offset, writer)
  }
  receiving.keep(index, file.size, true)
}

async function receiveContent (receiving: Receiving, session: Session, index: number, file: FileInfo, offset: number, writer: InboxWriter): Promise<void> {
  const block = blockBytesOf(file.size)
  const verified = file.blocks === undefined ? 0 : Math.floor(Math.min(writer.verified ?? 0, offset) / block) * block
  const check = file.sha256 === undefined ? undefined : new ContentCheck(receiving.sha256, file, verified)
  let noting: Promise<void> | undefined
  let have = offset
  try {
    if (check !== undefined && offset > verified) for await (const bytes of writer.kept(verified)) await check.update(bytes)
    if (have === 0) receiving.progress(index, 0)
    while (have < file.size) {
      const bytes = await downloaded(session, file.size - have, receiving.progressMs)
      const ended = await check?.update(bytes)
      await ours(writer.write(bytes))
      have += bytes.length
      receiving.progress(index, have)
      // What lies behind the last whole block is said to be verified too early: `verified` above is rounded down.
      if (ended === true && have < file.size) noting ??= writer.verify?.().catch(() => {}).finally(() => { noting = undefined })
    }
    await check?.end()
    await noting
  } catch (error) {
    await noting
    await giveUp(receiving, index, writer, error, check?.verified ?? 0)
    throw error
  }
  await ours(writer.finish())
}

/** Keeps what may be kept: of content that is another, no more than what was verified. */
async function giveUp (receiving: Receiving, index: number, writer: InboxWriter, error: unknown, verified: number): Promise<void> {
  const wrong = error instanceof WarpdriveError && error.code === 'ERR_DIGEST'
  if (!wrong) return receiving.keep(index, await writer.keep(), false)
  // A writer that knows nothing of verified bytes could keep wrong ones.
  if (verified === 0 || writer.verified === undefined) {
    await writer.abort()
    return receiving.keep(index, 0, false)
  }
  receiving.keep(index, await writer.keep(verified), false)
}

async function ours<T> (promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (cause) {
    throw new WarpdriveError('ERR_FILES', 'the inbox failed', { remote: false, scope: 'transfer', cause })
  }
}
