/**
 * Where what was accepted goes: for each offer a folder, a transfer of `receive` in it, and a record that survives the process, so that whoever
 * comes after it goes on.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { access, constants, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TransferEvent } from '@ropewalk/interface'
import type { Inbox, InboxFileOptions, InboxWholeFile, InboxWriter, StoredOffer } from '@ropewalk/protocol-warpdrive'
import { normaliseName, openReceiver, type PartWriter, type Receiver, type ReceiveTransfer } from '@ropewalk/receive'
import { codeOf, fileError, messageOf, RopewalkError } from '../errors.ts'
import { makeStateDirectory } from '../state-directory.ts'
import { StrokeMemory } from './stroke-memory.ts'

/** What survives of an offer that is being received. */
export interface Destination {
  readonly peer: string
  readonly offer: string
  readonly directory: string
  /** What the first components of its names became, where those were taken. */
  readonly renamed: Readonly<Record<string, string>>
  /** Somebody has consented to names that something runs or trusts unasked. */
  readonly dangerous?: boolean | undefined
  /** Somebody has consented to symbolic links. */
  readonly links?: boolean | undefined
}

export type Consent = Pick<Destination, 'dangerous' | 'links'>

interface Open {
  readonly destination: Destination
  readonly receiver: Receiver
  readonly transfer: ReceiveTransfer
}

export class Inboxes implements Inbox {
  readonly #folder: string
  readonly #open = new Map<string, Open>()
  readonly #memory = new StrokeMemory()
  readonly #emit: (offer: string, event: TransferEvent, peer: string) => void

  constructor (state: string, emit: (offer: string, event: TransferEvent, peer: string) => void) {
    this.#folder = join(state, 'receiving')
    this.#emit = emit
  }

  /** Offers that were being received when the last process ended. */
  async interrupted (): Promise<Destination[]> {
    const names = await readdir(this.#folder).catch(() => [])
    const found: Destination[] = []
    for (const name of names.filter(name => name.endsWith('.json'))) {
      const text = await readFile(join(this.#folder, name), 'utf8')
      found.push(JSON.parse(text) as Destination)
    }
    return found
  }

  /** What an earlier process has left of an offer, or this one holds. */
  async keptOf (peer: string, offer: string): Promise<Destination | undefined> {
    return (await this.interrupted()).find(kept => kept.peer === peer && kept.offer === offer)
  }

  /** Makes ready to receive an offer below `directory`, or where an earlier process has begun to: consent that it was given holds. */
  async begin (offer: StoredOffer, directory: string, { dangerous, links }: Consent): Promise<Destination> {
    const key = keyOf(offer.peer, offer.id)
    const before = this.#open.get(key)
    if (before !== undefined) return before.destination
    const kept = await this.keptOf(offer.peer, offer.id)
    const destination = { ...kept ?? { peer: offer.peer, offer: offer.id, directory, renamed: await renamedIn(directory, offer) }, dangerous: dangerous === true || kept?.dangerous === true, links: links === true || kept?.links === true }
    const receiver = await openReceiver(destination.directory, { dangerous: destination.dangerous ? 'allow' : 'refuse', links: destination.links ? 'folder' : 'refuse' }).catch((error: unknown) => { throw noInbox(destination.directory, error) })
    try {
      const contents = offer.files.filter(file => !file.isDir)
      const transfer = await receiver.transfer(key, { bytes: contents.reduce((sum, { size }) => sum + size, 0), entries: offer.files.length })
      await this.#write(destination)
      this.#open.set(key, { destination, receiver, transfer })
      return destination
    } catch (error) {
      await receiver.close()
      throw error
    }
  }

  /** Everything is there, or nobody wants the rest. */
  async end (peer: string, offer: string, how: 'whole' | 'discarded'): Promise<void> {
    const key = keyOf(peer, offer)
    const open = this.#open.get(key) ?? (how === 'discarded' ? await this.#paused(key, peer, offer) : undefined)
    this.#open.delete(key)
    await rm(this.#recordOf(key), { force: true })
    if (open === undefined) return
    if (how === 'whole') await open.transfer.finish()
    else await open.transfer.discard()
    await open.receiver.close()
  }

  /** Lets go of it; what is there is kept for whoever goes on. */
  async pause (peer: string, offer: string): Promise<void> {
    const key = keyOf(peer, offer)
    const open = this.#open.get(key)
    this.#open.delete(key)
    await open?.transfer.close()
    await open?.receiver.close()
  }

  /** What is kept of one that nobody goes on with. */
  async #paused (key: string, peer: string, offer: string): Promise<Open | undefined> {
    const destination = await this.keptOf(peer, offer)
    if (destination === undefined) return undefined
    try {
      const receiver = await openReceiver(destination.directory)
      return { destination, receiver, transfer: await receiver.transfer(key) }
    } catch {
      // Where the folder is gone, so is what was in it.
      return undefined
    }
  }

  async close (): Promise<void> {
    for (const { destination } of this.#open.values()) await this.pause(destination.peer, destination.offer)
  }

  async directory (name: string, options: Parameters<Inbox['directory']>[1]): Promise<void> {
    const { peer, offer, mode, mtimeMs, signal } = options
    const { destination, transfer } = this.#of(peer, offer)
    await transfer.directory(placeOf(name, destination), { mode, mtimeMs, signal })
  }

  async link (name: string, target: string, { peer, offer, mtimeMs, signal }: Parameters<NonNullable<Inbox['link']>>[2]): Promise<void> {
    const { destination, transfer } = this.#of(peer, offer)
    await transfer.link(placeOf(name, destination), target, { mtimeMs, overwrite: 'refuse', signal })
  }

  kept (name: string, { peer, offer }: { readonly peer: string, readonly offer: string }): { readonly bytes: number, readonly whole: boolean } {
    const { destination, transfer } = this.#of(peer, offer)
    try {
      const place = placeOf(name, destination)
      return { bytes: transfer.keptBytes(place), whole: transfer.isWhole(place) }
    } catch {
      // What is no name is refused where it is used.
      return { bytes: 0, whole: false }
    }
  }

  async file (name: string, { peer, offer, size, mode, mtimeMs, offset, signal }: InboxFileOptions): Promise<InboxWriter> {
    const { destination, transfer } = this.#of(peer, offer)
    const base = { transfer: `${offer}/${name}`, name, direction: 'receive' as const }
    this.#emit(offer, { event: 'started', ...base, size, ...offset > 0 ? { present: offset } : {} }, peer)
    let have = offset
    // Of what fails more than once the first is told: it is the cause of the others.
    let over = false
    const tellFailed = (code: string, message: string): void => {
      if (!over) this.#emit(offer, { event: 'failed', ...base, bytes: have, code, message }, peer)
      over = true
    }
    const failed = (error: unknown): never => {
      // Who was ended is closed, and says so.
      tellFailed(...whyOf(signal?.aborted === true ? signal.reason : error))
      throw error
    }
    const place = placeOf(name, destination)
    const begin = async (): Promise<PartWriter> => await transfer.file(place, { size, mode, mtimeMs, overwrite: 'refuse', signal })
    let writer = await begin().catch(failed)
    if (writer.size !== offset) {
      await writer.abort()
      writer = await begin().catch(failed)
    }
    const strokes: Uint8Array[] = []
    /** All that came is written, or nobody wants it. */
    const giveBack = (): void => { for (const stroke of strokes.splice(0)) this.#memory.give(stroke) }
    return {
      memory: bytes => {
        const stroke = this.#memory.take(bytes)
        strokes.push(stroke)
        return stroke
      },
      write: async bytes => {
        await writer.write(bytes).catch(failed)
        have += bytes.length
        // Of the last ones it is told when they last.
        if (have < size) this.#emit(offer, { event: 'progress', ...base, bytes: have, size }, peer)
      },
      finish: async () => {
        giveBack()
        await writer.finish().catch(failed)
        this.#emit(offer, { event: 'finished', ...base, bytes: have }, peer)
      },
      keep: async (most, why) => {
        giveBack()
        tellFailed(...whyOf(why))
        return await writer.keep(most)
      },
      abort: async why => {
        giveBack()
        tellFailed(...whyOf(why))
        await writer.abort()
      },
      kept: from => writer.read(from, offset),
      verified: writer.verified,
      verify: async () => { await writer.verify() }
    }
  }

  async wholeFiles (files: readonly InboxWholeFile[], { peer, offer, signal }: Pick<InboxFileOptions, 'peer' | 'offer' | 'signal'>): Promise<Array<PromiseSettledResult<unknown>>> {
    const { destination, transfer } = this.#of(peer, offer)
    const tell = (name: string, event: 'started' | 'finished' | 'failed', more: object): void => {
      this.#emit(offer, { event, transfer: `${offer}/${name}`, name, direction: 'receive', ...more } as TransferEvent, peer)
    }
    const results = await transfer.files(files.map(({ name, ...file }) => ({ name: placeOf(name, destination), ...file, overwrite: 'refuse' })), { signal })
    for (const [at, result] of results.entries()) {
      const { name, bytes: { length: bytes } } = files[at] as InboxWholeFile
      // Told at once with its end, which is all that is kept of it then.
      tell(name, 'started', { size: bytes })
      if (result.status === 'fulfilled') tell(name, 'finished', { bytes })
      else tell(name, 'failed', { bytes, code: codeOf(result.reason), message: messageOf(result.reason) })
    }
    return results
  }

  #of (peer: string, offer: string): Open {
    const open = this.#open.get(keyOf(peer, offer))
    if (open === undefined) throw new RopewalkError('ERR_STATE', 'nobody has said where this offer goes')
    return open
  }

  #recordOf (key: string): string {
    // An id is somebody else's choice, and no part of a path.
    return join(this.#folder, `${createHash('sha256').update(key).digest('hex')}.json`)
  }

  async #write (destination: Destination): Promise<void> {
    await makeStateDirectory(this.#folder)
    const path = this.#recordOf(keyOf(destination.peer, destination.offer))
    await writeFile(`${path}.new`, JSON.stringify(destination), { mode: 0o600, flush: true })
    await rename(`${path}.new`, path)
  }
}

/** Makes the folder for what is received, and sees whether it can be written to. */
export async function makeInbox (directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true })
    await access(join(directory, '.'), constants.W_OK | constants.X_OK)
  } catch (error) {
    throw noInbox(directory, error)
  }
}

function noInbox (directory: string, error: unknown): unknown {
  const cause = codeOf(error) === 'ERR_IO' && error instanceof Error ? error.cause : error
  if (typeof codeOf(cause) !== 'string' || codeOf(cause).startsWith('ERR_')) return error
  return new RopewalkError('ERR_FILE', `nothing can be received there: ${codeOf(cause) === 'EEXIST' ? 'it is no directory' : fileError(cause).message}`, { cause: error, text: directory })
}

/** What the failure of a file is called. */
function whyOf (why: unknown): [code: string, message: string] {
  const error = causeOf(why)
  return error === undefined ? ['ERR_INTERRUPTED', 'interrupted'] : [codeOf(error), messageOf(error)]
}

/** Of an inbox that failed, why it did. */
export function causeOf (error: unknown): unknown {
  const { cause } = error instanceof Error ? error : {}
  return codeOf(error) === 'ERR_FILES' && cause !== undefined ? cause : error
}

/** The name below the destination of what the offer calls `uri`. */
export function placeOf (uri: string, { renamed }: Destination): string {
  const [first = ''] = uri.split('/', 1)
  // A name of an object's own, as `constructor`, is a name like any other.
  return Object.hasOwn(renamed, first) ? `${renamed[first]}${uri.slice(first.length)}` : uri
}

/** New names for those first components that are taken: nothing is replaced, and nothing is mixed. */
async function renamedIn (directory: string, { files }: StoredOffer): Promise<Record<string, string>> {
  const firsts = new Set(files.map(({ uri }) => uri.split('/')[0] as string))
  const renamed = new Map<string, string>()
  for (const first of firsts) {
    // What is no name is refused where it is used.
    if (!isName(first)) continue
    for (let number = 2, name = first; await exists(join(directory, name)); number++) renamed.set(first, name = numbered(first, number))
  }
  return Object.fromEntries(renamed)
}

/** `photos 2`, `a 2.txt`. */
function numbered (name: string, number: number): string {
  const dot = name.lastIndexOf('.')
  return dot > 0 ? `${name.slice(0, dot)} ${number}${name.slice(dot)}` : `${name} ${number}`
}

function isName (name: string): boolean {
  try {
    return normaliseName(name) !== ''
  } catch {
    return false
  }
}

async function exists (path: string): Promise<boolean> {
  return await lstat(path).then(() => true, () => false)
}

function keyOf (peer: string, offer: string): string {
  return `${peer} ${offer}`
}
