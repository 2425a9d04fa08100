/**
 * Small entries, many with one command: they come one behind the other, are verified where they lie, and are handed on together.
 *
 * @module
 */
import { askMany, downloadTo, endSession } from './client.ts'
import { MANY_AHEAD, MANY_BYTES, MANY_ENTRIES, MANY_FAST_MS, MANY_SLOW_MS } from './constants.ts'
import { ContentCheck } from './content-digest.ts'
import { WarpdriveError } from './errors.ts'
import { attempt, Finishing, inboxFailed, ours, type Receiving } from './finishing.ts'
import type { FileInfo } from './json-codec.ts'
import type { InboxWholeFile } from './ports.ts'
import type { Session } from './session.ts'

/** Entries of one command that have come: the first so many, and why no more of them have. */
interface Come {
  readonly count: number
  readonly error: unknown
}

/** Entries that fail alone are noted, and their session is given up; what breaks the channel breaks all lanes. */
export async function receiveSmall (receiving: Receiving, contents: number[], failed: WarpdriveError[], stop: AbortController, whenBegun: () => void): Promise<void> {
  const { offer: { id, files } } = receiving
  const memory = new Memory(contents.map(index => (files[index] as FileInfo).size))
  let most = MANY_ENTRIES / 16
  let session: Session | undefined
  let finishing: Finishing | undefined
  let asked: number[][] = []
  /** What the inbox is at. */
  const lots = new Set<Promise<void>>()
  const breakOff = (): void => { session?.abort(stop.signal.reason as Error) }
  stop.signal.addEventListener('abort', breakOff)
  try {
    while (contents.length > 0 || asked.length > 0) {
      stop.signal.throwIfAborted()
      session ??= await receiving.open()
      finishing ??= new Finishing(receiving, session, failed, MANY_AHEAD)
      while (asked.length <= MANY_AHEAD && contents.length > 0) {
        const next = contents.splice(0, manyOf(contents, files, most))
        asked.push(next)
        await askMany(session, id, next)
      }
      const indices = asked.shift() as number[]
      const bytes = memory.take()
      const began = receiving.now()
      const { count, error } = await receiveMany(receiving, session, indices, bytes, whenBegun)
      const took = receiving.now() - began
      most = took < MANY_FAST_MS ? Math.min(2 * most, MANY_ENTRIES) : took > MANY_SLOW_MS ? Math.max(1, most >> 1) : most
      const finished = finishMany(receiving, indices.slice(0, count), bytes)
      const settled = Promise.allSettled(finished).then(() => {
        memory.give(bytes)
        lots.delete(settled)
      })
      lots.add(settled)
      await finishing.add(indices.slice(0, count), finished)
      if (error !== undefined) {
        await finishing.end()
        await attempt(receiving, indices[count] as number, failed, async () => { throw error })
      }
      if (error !== undefined || finishing.broken) {
        await finishing.end()
        // Whatever is still on its way belongs to an entry that failed, or comes before what cannot be confirmed any more.
        session.abort(new WarpdriveError('ERR_INTERRUPTED', 'an entry failed', { remote: false }))
        contents.unshift(...indices.slice(count + 1), ...asked.flat())
        session = finishing = undefined
        asked = []
      }
    }
    await finishing?.end()
    if (session !== undefined) await endSession(session)
  } catch (error) {
    session?.abort(error as Error)
    stop.abort(error)
    // What has come whole is kept whole.
    await Promise.all(lots)
    await finishing?.end().catch(() => {})
    throw error
  } finally {
    stop.signal.removeEventListener('abort', breakOff)
  }
}

/** How many of the next entries are asked for together. */
function manyOf (contents: readonly number[], files: readonly FileInfo[], most: number): number {
  let bytes = 0
  let count = 0
  while (count < Math.min(most, contents.length)) {
    bytes += (files[contents[count] as number] as FileInfo).size
    if (bytes > MANY_BYTES) break
    count++
  }
  return count
}

/** The bytes of these entries, each behind a 00, one behind the other to `into`. Never rejects: what went wrong is told. */
async function receiveMany (receiving: Receiving, session: Session, indices: readonly number[], into: Uint8Array, whenBegun: () => void): Promise<Come> {
  const { offer: { files }, progressMs } = receiving
  const sizes = indices.map(index => (files[index] as FileInfo).size)
  const total = sizes.reduce((sum, size) => sum + 1 + size, 0)
  let have = 0
  /** Entries that are whole, and where the next one begins. */
  let [count, begin] = [0, 0]
  const take = (bytes: Uint8Array): void => {
    into.set(bytes, have)
    have += bytes.length
    while (count < sizes.length && have >= begin + 1 + (sizes[count] as number)) begin += 1 + (sizes[count++] as number)
    if (count < sizes.length) receiving.progress(indices[count] as number, Math.max(0, have - begin - 1))
  }
  try {
    receiving.progress(indices[0] as number, 0)
    while (have < total) {
      await downloadTo(session, total - have, take, progressMs)
      whenBegun()
    }
    return { count, error: undefined }
  } catch (error) {
    if (!(error instanceof WarpdriveError) || error.code !== 'ERR_INCOMPLETE') return { count, error }
    // Without its 00 it was not begun: then the peer has refused to.
    const refused = new WarpdriveError('ERR_REFUSED', 'download: the peer closed the session')
    const short = new WarpdriveError('ERR_INCOMPLETE', `the download ended early: ${have - begin - 1} < ${sizes[count]} bytes`, { scope: 'transfer' })
    return { count, error: have > begin ? short : refused }
  }
}

/** Verifies entries and hands them on. What is returned settles as each has its name, or fails. */
function finishMany (receiving: Receiving, indices: readonly number[], bytes: Uint8Array): Array<Promise<void>> {
  const { offer: { id: offer, peer, files }, inbox, signal } = receiving
  const entries = indices.map(index => ({ index, file: files[index] as FileInfo, ...Promise.withResolvers<void>() }))
  const verified: typeof entries = []
  const wholes: InboxWholeFile[] = []
  const work = async (): Promise<void> => {
    let at = 0
    for (const entry of entries) {
      const { file: { uri: name, perm, size, mtimeMs } } = entry
      const content = bytes.subarray(at + 1, at += 1 + size)
      try {
        if (bytes[at - size - 1] !== 0) throw new WarpdriveError('ERR_BAD_VALUE', `download: ${bytes[at - size - 1]} came before an entry, not 0`)
        const check = new ContentCheck(receiving.sha256, entry.file, 0)
        await check.update(content)
        await check.end()
      } catch (error) {
        entry.reject(error)
        continue
      }
      verified.push(entry)
      wholes.push({ name, bytes: content, mode: perm & 0o777 | 0o600, mtimeMs })
    }
    const results = await ours(inbox.wholeFiles?.(wholes, { peer, offer, signal }) ?? Promise.resolve([]))
    for (const [place, { index, file, resolve, reject }] of verified.entries()) {
      const result = results[place]
      if (result?.status === 'fulfilled') {
        receiving.keep(index, file.size, true)
        resolve()
      } else reject(inboxFailed(result?.reason))
    }
  }
  work().catch((error: unknown) => { for (const { reject } of entries) reject(error) })
  return entries.map(({ promise }) => promise)
}

/** Room for what comes with one command, used again. */
class Memory {
  readonly #free: Uint8Array[] = []
  readonly #bytes: number

  constructor (sizes: readonly number[]) {
    this.#bytes = Math.min(MANY_BYTES + MANY_ENTRIES, sizes.reduce((sum, size) => sum + 1 + size, 0))
  }

  take (): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(this.#bytes)
  }

  give (bytes: Uint8Array): void {
    this.#free.push(bytes)
  }
}
