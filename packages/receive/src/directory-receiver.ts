/**
 * A receiver over a directory: checks what was announced, and hands it to the staging and the placement.
 *
 * @module
 */
import { statfsSync } from 'node:fs'
import { join } from 'node:path'
import { FolderDisk } from './batch.ts'
import { dangerBehind, dangerOf } from './danger.ts'
import type { Confinement, Directory } from './directory.ts'
import { ReceiveError, receiveError } from './errors.ts'
import { Endings } from './endings.ts'
import { escapeName } from './escape.ts'
import { StagedWriter, type Announced, type ReceivedFile, type ReceiveWriter } from './file-writer.ts'
import { checkTarget } from './link.ts'
import { normaliseName } from './name.ts'
import { OpenTransfer, type TransferReceiver } from './open-transfer.ts'
import { Placement, sealFolder } from './placement.ts'
import { Quota } from './quota.ts'
import type { FileOptions, FolderOptions, LinkOptions, Receiver, ReceiverOptions, ReceiveTransfer, TransferOptions } from './receiver.ts'
import type { Staging } from './staging.ts'
import { Transfer } from './transfer.ts'

export class DirectoryReceiver implements Receiver, TransferReceiver {
  readonly root: string
  readonly confinement: Confinement
  readonly #directory: Directory
  readonly #staging: Staging
  readonly #placement: Placement
  readonly #endings: Endings
  readonly #disk: FolderDisk
  readonly #quota: Quota
  readonly #options: ReceiverOptions & { maxFileBytes: number }
  readonly #open = new Set<ReceiveWriter>()
  readonly #transfers = new Set<OpenTransfer>()
  /** What is being begun. */
  readonly #beginning = new Set<Promise<unknown>>()
  #closed: Promise<void> | undefined

  constructor (root: string, confinement: Confinement, directory: Directory, staging: Staging, options: ReceiverOptions & { maxFileBytes: number, maxTotalBytes: number, maxEntries: number }) {
    this.root = root
    this.confinement = confinement
    this.#directory = directory
    this.#staging = staging
    this.#placement = new Placement(directory, options.collisions === 'refuse')
    this.#endings = new Endings(this.#placement)
    this.#disk = new FolderDisk(directory.pathOf('.'))
    this.#quota = new Quota(options)
    this.#options = options
  }

  file (name: string, options: FileOptions = {}): Promise<ReceiveWriter> {
    return this.begin(name, options, announced => this.#stage(announced, options.signal))
  }

  async adopt (path: string, name: string, options: FileOptions = {}): Promise<ReceivedFile> {
    const writer = await this.begin(name, options, announced => this.#stage(announced, options.signal, path))
    try {
      await writer.adopt()
      return await writer.finish()
    } catch (error) {
      await writer.abort()
      throw error
    }
  }

  async directory (name: string, options: FolderOptions = {}): Promise<boolean> {
    const normal = this.checkFolder(name, options)
    return await this.#beginningOf(normal, options.signal, async () => {
      this.#quota.entry()
      return await this.#placement.directory(normal, async (directory, made) => {
        if (made || options.adopt === true) await sealFolder(directory, options.mode, options.mtimeMs)
      })
    })
  }

  async link (name: string, target: string, options: LinkOptions = {}): Promise<void> {
    const { mtimeMs, overwrite = 'refuse', signal } = options
    const normal = this.#normalise(name)
    this.#assertHarmless(normal, dangerBehind)
    checkTarget(normal, target, this.#options.links ?? 'refuse')
    checkTime(mtimeMs)
    if (overwrite !== 'refuse' && overwrite !== 'replace') throw new TypeError(`overwrite ${String(overwrite)}`)
    await this.#beginningOf(normal, signal, async () => {
      this.#quota.entry()
      await this.#placement.link(normal, target, mtimeMs, overwrite, this.#staging.freePath())
    })
  }

  async transfer (id: string, { bytes = 0, entries = 0, signal }: TransferOptions = {}): Promise<ReceiveTransfer> {
    checkSize('bytes', bytes)
    checkSize('entries', entries)
    return await this.#beginningOf(`transfer ${id}`, signal, async () => {
      const transfer = await Transfer.open({ staging: this.#staging, placement: this.#placement, endings: this.#endings, disk: this.#disk, quota: this.#quota }, id)
      try {
        this.#quota.check(bytes, entries)
        await this.#checkSpace('the transfer', bytes - transfer.heldBytes)
      } catch (error) {
        await transfer.close()
        throw error
      }
      const open = new OpenTransfer(this, transfer, () => this.#transfers.delete(open))
      this.#transfers.add(open)
      return open
    })
  }

  close (): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.close()
  }

  /** Checks what was announced of a file, and has it begun. */
  async begin<T extends ReceiveWriter> (name: string, options: FileOptions, open: (announced: Announced) => Promise<T>): Promise<T> {
    options.signal?.throwIfAborted()
    if (this.#closed != null) throw closed()
    const announced = this.announce(name, options)
    return await this.#beginningOf(announced.name, options.signal, async () => {
      await this.#placement.look(announced.name, announced.overwrite)
      this.#quota.entry()
      try {
        return await open(announced)
      } catch (error) {
        this.#quota.leaveEntry()
        throw error
      }
    })
  }

  checkFolder (name: string, { mode, mtimeMs }: FolderOptions): string {
    checkMode(mode)
    checkTime(mtimeMs)
    return this.#normalise(name)
  }

  /** Better refused now than after an hour. */
  async checkSpace (name: string, bytes: number): Promise<void> {
    await this.#checkSpace(`"${escapeName(name)}"`, bytes)
  }

  normalise (name: string): string {
    return this.#normalise(name)
  }

  async #beginningOf<T> (name: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted()
    if (this.#closed != null) throw closed()
    const beginning = work()
    this.#beginning.add(beginning)
    try {
      return await beginning
    } catch (error) {
      if (signal?.aborted === true && error === signal.reason) throw error
      throw receiveError(error, `begin "${escapeName(name)}"`)
    } finally {
      this.#beginning.delete(beginning)
    }
  }

  #normalise (name: string): string {
    const normal = normaliseName(name, { portable: this.#options.portable })
    this.#assertHarmless(normal, dangerOf)
    return normal
  }

  #assertHarmless (name: string, look: typeof dangerOf): void {
    const danger = this.#options.dangerous === 'allow' ? undefined : look(this.root, name)
    if (danger != null) throw new ReceiveError('ERR_DANGEROUS', `"${escapeName(name)}" would be taken for ${danger}: that needs consent`)
  }

  /** Checks what was said of a file. */
  announce (name: string, { size, mode, mtimeMs, overwrite = 'refuse' }: FileOptions): Announced {
    const normal = this.#normalise(name)
    const { maxFileBytes: maxBytes } = this.#options
    if (size != null) checkSize('size', size)
    checkMode(mode)
    checkTime(mtimeMs)
    if (!OVERWRITES.has(overwrite)) throw new TypeError(`overwrite ${String(overwrite)}`)
    if (size != null && size > maxBytes) throw new ReceiveError('ERR_SIZE', `"${escapeName(normal)}": ${size} > ${maxBytes} bytes`)
    return { name: normal, path: placed => join(this.root, placed), size, maxBytes, mode, mtimeMs, overwrite }
  }

  /** With `whole`, what lies there is the content. */
  async #stage (announced: Announced, signal: AbortSignal | undefined, whole?: string): Promise<StagedWriter> {
    const { name, size = 0 } = announced
    if (whole === undefined) await this.#checkSpace(`"${escapeName(name)}"`, size)
    const allowance = this.#quota.allow(size)
    try {
      const file = whole === undefined ? await this.#staging.create() : await this.#staging.link(whole)
      const onAbort = (): void => { void writer.abort() }
      const writer = new StagedWriter(announced, {
        file,
        endings: this.#endings,
        take: bytes => { allowance.take(bytes) },
        remove: () => this.#staging.remove(file),
        released: left => {
          allowance.end(left === 'placed')
          if (left !== 'placed') this.#quota.leaveEntry()
          signal?.removeEventListener('abort', onAbort)
          this.#open.delete(writer)
        }
      })
      this.#open.add(writer)
      signal?.addEventListener('abort', onAbort, { once: true })
      if (signal?.aborted === true) await writer.abort()
      signal?.throwIfAborted()
      return writer
    } catch (error) {
      allowance.end(false)
      throw error
    }
  }

  async #checkSpace (what: string, bytes: number): Promise<void> {
    const { bavail, bsize } = statfsSync(this.#directory.pathOf('.'))
    const free = bavail * bsize - this.#quota.outstanding
    if (bytes > free) throw new ReceiveError('ERR_NO_SPACE', `${what}: ${bytes} > ${free} bytes free`)
  }

  async #close (): Promise<void> {
    await Promise.allSettled(this.#beginning)
    await Promise.all([
      ...Array.from(this.#open, async writer => { await writer.abort() }),
      ...Array.from(this.#transfers, async transfer => { await transfer.close() })
    ])
    this.#disk.close()
    try {
      await this.#placement.close()
      await this.#staging.close()
    } finally {
      await this.#directory.close()
    }
  }
}

function closed (): ReceiveError {
  return new ReceiveError('ERR_CLOSED', 'the receiver is closed')
}

function checkSize (what: string, size: number): void {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`${what} ${size}`)
}

function checkMode (mode: number | undefined): void {
  if (mode != null && (!Number.isInteger(mode) || mode < 0)) throw new RangeError(`mode ${mode}`)
}

function checkTime (mtimeMs: number | undefined): void {
  if (mtimeMs != null && !(Math.abs(mtimeMs) <= MAX_TIME_MS)) throw new RangeError(`mtimeMs ${mtimeMs}`)
}

/** From the language: the range of a Date. */
const MAX_TIME_MS = 8.64e15

const OVERWRITES: ReadonlySet<string> = new Set(['refuse', 'replace', 'rename'])
