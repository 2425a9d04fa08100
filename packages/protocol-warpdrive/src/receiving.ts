/**
 * Downloads what was accepted: from the original in one stream, from our own peers file by file, several at a time.
 *
 * @module
 */
import { askRange, begun, download, downloadTo, endSession, finishDownload, settleOffer } from './client.ts'
import { ASKED_AHEAD, SMALL_FILE_BYTES, type Outcome } from './constants.ts'
import { ContentCheck } from './content-digest.ts'
import { WarpdriveError } from './errors.ts'
import { attempt, finishEntry, Finishing, ours, type Receiving } from './finishing.ts'
import type { FileInfo } from './json-codec.ts'
import { blockBytesOf, isExtended } from './manifest-codec.ts'
import type { Inbox, InboxWriter, StoredOffer } from './ports.ts'
import { receiveSmall } from './receiving-small.ts'
import type { Session } from './session.ts'
import { Strokes } from './strokes.ts'

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
      if (index < start && !file.isDir) continue
      const writer = await receiveEntry(receiving, session, index, index === start ? offset : 0)
      await finishEntry(receiving, index, writer)
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
    } else {
      await attempt(receiving, index, failed, async () => {
        await receiveEntry(receiving, undefined, index, 0)
        await finishEntry(receiving, index, undefined)
      })
    }
  }
  if (contents.length === 0) whenBegun()
  const stop = new AbortController()
  const small = new Set(smallOf(receiving, contents))
  const others = small.size === 0 ? contents : contents.filter(index => !small.has(index))
  const lanes = Math.min(Math.max(1, receiving.parallel - Math.sign(small.size)), others.length)
  const ahead = Math.min(ASKED_AHEAD, Math.ceil(others.length / lanes))
  const smaller = receiveSmall(receiving, [...small], failed, stop, whenBegun)
  // Whoever wants one at a time gets no second session for the others.
  if (receiving.parallel === 1) await Promise.allSettled([smaller])
  const results = await Promise.allSettled([
    smaller,
    ...Array.from({ length: lanes }, () => receiveLane(receiving, others, ahead, failed, stop, whenBegun))
  ])
  if (stop.signal.aborted) throw stop.signal.reason
  for (const result of results) if (result.status === 'rejected') throw result.reason
  if (failed.length === 1) throw failed[0]
  if (failed.length > 1) throw new WarpdriveError('ERR_INCOMPLETE', `${failed.length} of ${files.length} entries failed`, { scope: 'transfer', cause: failed[0] })
}

/** Entries that are asked for many at a time: small ones of which nothing is there, where the inbox takes them so. */
function smallOf ({ inbox, offer: { files }, keptOf }: Receiving, contents: readonly number[]): number[] {
  const isSmall = (index: number): boolean => (files[index] as FileInfo).size <= SMALL_FILE_BYTES && keptOf(index) === 0
  const small = inbox.wholeFiles === undefined ? [] : contents.filter(isSmall)
  return small.length > 1 ? small : []
}

/**
 * Entries one after the other on one session, asked for ahead, and made to last while the next ones come. Those that fail alone are noted; what
 * breaks the channel breaks all lanes.
 */
async function receiveLane (receiving: Receiving, contents: number[], ahead: number, failed: WarpdriveError[], stop: AbortController, whenBegun: () => void): Promise<void> {
  const { id } = receiving.offer
  let session: Session | undefined
  let asked: Array<readonly [index: number, offset: number]> = []
  let finishing: Finishing | undefined
  const breakOff = (): void => { session?.abort(stop.signal.reason as Error) }
  stop.signal.addEventListener('abort', breakOff)
  try {
    while (contents.length > 0 || asked.length > 0) {
      stop.signal.throwIfAborted()
      session ??= await receiving.open()
      finishing ??= new Finishing(receiving, session, failed)
      while (asked.length < ahead && contents.length > 0) {
        const index = contents.shift() as number
        const offset = receiving.keptOf(index)
        asked.push([index, offset])
        await askRange(session, id, index, offset)
      }
      // Others may have taken what was left while the session was opened.
      if (asked[0] === undefined) break
      const [index, offset] = asked[0]
      const current = session
      let writer: InboxWriter | undefined
      await attempt(receiving, index, failed, async () => {
        await begun(current)
        whenBegun()
        writer = await receiveEntry(receiving, current, index, offset)
      })
      asked.shift()
      if (writer !== undefined && !finishing.broken) await finishing.add([index], [finishEntry(receiving, index, writer)])
      else {
        if (writer !== undefined) await attempt(receiving, index, failed, () => finishEntry(receiving, index, writer as InboxWriter))
        await finishing.end()
        // Whatever is still on its way belongs to an entry that failed, or comes before what cannot be confirmed any more.
        session.abort(new WarpdriveError('ERR_INTERRUPTED', 'an entry failed', { remote: false }))
        session = finishing = undefined
        contents.unshift(...asked.map(([index]) => index))
        asked = []
      }
    }
    await finishing?.end()
    if (session !== undefined) await endSession(session)
  } catch (error) {
    session?.abort(error as Error)
    stop.abort(error)
    // What has come whole is kept whole.
    await finishing?.end().catch(() => {})
    throw error
  } finally {
    stop.signal.removeEventListener('abort', breakOff)
  }
}

/** Receives an entry. Of a file with content, all of that is there and verified; whoever gets the writer finishes it. */
async function receiveEntry (receiving: Receiving, session: Session | undefined, index: number, offset: number): Promise<InboxWriter | undefined> {
  const { offer, inbox, signal } = receiving
  const file = offer.files[index] as FileInfo
  if (file.isDir) {
    // The base folder itself is there.
    if (file.uri !== '' && file.uri !== '.') await ours(inbox.directory(file.uri, { peer: offer.peer, offer: offer.id, mode: file.perm & 0o777 | 0o700, mtimeMs: file.mtimeMs, signal }))
  } else if (file.link !== undefined) {
    if (inbox.link === undefined) throw new WarpdriveError('ERR_SYMLINK', 'the inbox takes no symbolic links', { remote: false, scope: 'transfer' })
    await ours(inbox.link(file.uri, file.link, { peer: offer.peer, offer: offer.id, mtimeMs: file.mtimeMs, signal }))
  } else if (session !== undefined) {
    const writer = await ours(inbox.file(file.uri, {
      peer: offer.peer, offer: offer.id, size: file.size, mode: file.perm & 0o777 | 0o600, mtimeMs: file.mtimeMs, offset, signal
    }))
    await receiveContent(receiving, session, index, file, offset, writer)
    return writer
  }
  return undefined
}

async function receiveContent (receiving: Receiving, session: Session, index: number, file: FileInfo, offset: number, writer: InboxWriter): Promise<void> {
  const block = blockBytesOf(file.size)
  const verified = file.blocks === undefined ? 0 : Math.floor(Math.min(writer.verified ?? 0, offset) / block) * block
  const check = file.sha256 === undefined ? undefined : new ContentCheck(receiving.sha256, file, verified)
  let noting: Promise<void> | undefined
  /** A block has ended since the last note was begun. */
  let due = false
  // What lies behind the last whole block is said to be verified too early: `verified` above is rounded down.
  const note = (): void => {
    if (!due || noting !== undefined) return
    due = false
    noting = writer.verify?.().catch(() => {}).finally(() => { noting = undefined })
  }
  // No stroke is begun before the one before it is written and hashed: all blocks that end in what is written by then were compared.
  const stroke = async (bytes: Uint8Array): Promise<void> => {
    const results = await Promise.allSettled([ours(writer.write(bytes)), check?.update(bytes)])
    for (const result of results) if (result.status === 'rejected') throw result.reason
    due ||= await check?.compare() === true
    note()
  }
  const strokes = new Strokes(file.size - offset, stroke, writer.memory)
  let have = offset
  const take = (bytes: Uint8Array): void => {
    strokes.put(bytes)
    have += bytes.length
    receiving.progress(index, have)
  }
  try {
    if (check !== undefined && offset > verified) {
      for await (const bytes of writer.kept(verified)) {
        await check.update(bytes)
        await check.compare()
      }
    }
    if (have === 0) receiving.progress(index, 0)
    while (have < file.size) {
      await downloadTo(session, Math.min(file.size - have, strokes.room), take, receiving.progressMs)
      if (strokes.room === 0) await strokes.flush()
    }
    await strokes.end()
    await check?.end()
    await noting
  } catch (error) {
    // What is wrong with what has come tells more than that nothing more comes.
    const failure = await strokes.end().then(() => undefined, (failure: unknown) => failure)
    const why = receiving.signal.aborted ? error : failure ?? error
    await noting
    // A block that ended meanwhile. Where a stroke has failed, what is written may be another that nobody has compared.
    if (failure === undefined) note()
    await noting
    await giveUp(receiving, index, writer, why, check?.verified ?? 0)
    throw why
  } finally {
    check?.leave()
  }
}

/** Keeps what may be kept: of content that is another, no more than what was verified. */
async function giveUp (receiving: Receiving, index: number, writer: InboxWriter, error: unknown, verified: number): Promise<void> {
  const wrong = error instanceof WarpdriveError && error.code === 'ERR_DIGEST'
  if (!wrong) return receiving.keep(index, await writer.keep(undefined, error), false)
  // A writer that knows nothing of verified bytes could keep wrong ones.
  if (verified === 0 || writer.verified === undefined) {
    await writer.abort(error)
    return receiving.keep(index, 0, false)
  }
  receiving.keep(index, await writer.keep(verified, error), false)
}
