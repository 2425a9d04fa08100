/**
 * Downloads what was accepted: from the original in one stream, from our own peers file by file, several at a time.
 *
 * @module
 */
import { toHex } from '@ropewalk/framing'
import { download, downloaded, finishDownload } from './client.ts'
import { WarpdriveError } from './errors.ts'
import type { FileInfo } from './json-codec.ts'
import { isExtended } from './manifest-codec.ts'
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
}

/** The peer has confirmed when `begun` is called. */
export async function receiveOffer (receiving: Receiving, begun: () => void): Promise<void> {
  await (isExtended(receiving.offer.files) ? receiveParallel(receiving, begun) : receiveStream(receiving, begun))
}

async function receiveStream (receiving: Receiving, begun: () => void): Promise<void> {
  const { offer } = receiving
  const start = Math.max(offer.index, 0)
  const offset = offer.index < 0 ? 0 : receiving.keptOf(start)
  const session = await receiving.open()
  try {
    await download(session, offer.id, offer.index, offset)
    begun()
    for (let index = start; index < offer.files.length; index++) {
      await receiveEntry(receiving, session, index, index === start ? offset : 0)
    }
    await finishDownload(session)
  } catch (error) {
    session.abort(error as Error)
    throw error
  }
}

async function receiveParallel (receiving: Receiving, begun: () => void): Promise<void> {
  const { files, id } = receiving.offer
  const stop = new AbortController()
  const contents: number[] = []
  for (const [index, file] of files.entries()) {
    if (file.isDir || file.link !== undefined) await receiveEntry(receiving, undefined, index, 0)
    else if (!receiving.isDone(index)) contents.push(index)
  }
  if (contents.length === 0) begun()
  const worker = async (): Promise<void> => {
    for (let index = contents.shift(); index !== undefined; index = contents.shift()) {
      stop.signal.throwIfAborted()
      const session = await receiving.open()
      const breakOff = (): void => { session.abort(stop.signal.reason as Error) }
      stop.signal.addEventListener('abort', breakOff)
      try {
        const offset = receiving.keptOf(index)
        await download(session, id, index, offset, 'downloadRange')
        begun()
        await receiveEntry(receiving, session, index, offset)
        await finishDownload(session)
      } catch (error) {
        session.abort(error as Error)
        stop.abort(error)
        throw error
      } finally {
        stop.signal.removeEventListener('abort', breakOff)
      }
    }
  }
  const results = await Promise.allSettled(Array.from({ length: Math.min(receiving.parallel, contents.length) }, worker))
  if (stop.signal.aborted) throw stop.signal.reason
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

async function receiveEntry (receiving: Receiving, session: Session | undefined, index: number, offset: number): Promise<void> {
  const { offer, inbox, signal } = receiving
  const file = offer.files[index] as FileInfo
  if (file.isDir) {
    // The base folder itself is there.
    if (file.uri !== '' && file.uri !== '.') await ours(inbox.directory(file.uri, { mode: file.perm & 0o777 | 0o700, signal }))
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
  const hash = file.sha256 === undefined ? undefined : receiving.sha256()
  let have = offset
  try {
    if (hash !== undefined && offset > 0) for await (const bytes of writer.kept()) hash.update(bytes)
    if (have === 0) receiving.progress(index, 0)
    while (have < file.size) {
      const bytes = await downloaded(session, file.size - have, receiving.progressMs)
      hash?.update(bytes)
      await ours(writer.write(bytes))
      have += bytes.length
      receiving.progress(index, have)
    }
  } catch (error) {
    receiving.keep(index, await writer.keep(), false)
    throw error
  }
  if (hash !== undefined && toHex(await hash.digest()) !== file.sha256) {
    await writer.abort()
    receiving.keep(index, 0, false)
    throw new WarpdriveError('ERR_DIGEST', `entry ${index} has another SHA-256 than offered`, { scope: 'transfer' })
  }
  await ours(writer.finish())
}

async function ours<T> (promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (cause) {
    throw new WarpdriveError('ERR_FILES', 'the inbox failed', { remote: false, scope: 'transfer', cause })
  }
}
