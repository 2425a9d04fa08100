import type { AbortOptions } from '@ropewalk/interface'
import { BATCH_BYTES, BATCH_FILES, BATCHES, SMALL_FILE_BYTES } from './constants.ts'
import type { Announced, PartWriter, ReceivedFile, ReceiveWriter } from './file-writer.ts'
import type { FileOptions, FolderOptions, LinkOptions, ReceiveTransfer, WholeFile } from './receiver.ts'
import type { Transfer, Whole } from './transfer.ts'

/** What a transfer asks of its receiver: names and numbers are checked there. */
export interface TransferReceiver {
  normalise (name: string): string
  /** Checks what was said of a file. */
  announce (name: string, options: FileOptions): Announced
  /** ... and has it begun. */
  begin<T extends ReceiveWriter> (name: string, options: FileOptions, open: (announced: Announced) => Promise<T>): Promise<T>
  checkFolder (name: string, options: FolderOptions): string
  checkSpace (name: string, bytes: number): Promise<void>
  link (name: string, target: string, options: LinkOptions): Promise<void>
}

/** A transfer as its user sees it: names and numbers are checked here, as for single files. */
export class OpenTransfer implements ReceiveTransfer {
  readonly #receiver: TransferReceiver
  readonly #transfer: Transfer
  readonly #left: () => void

  constructor (receiver: TransferReceiver, transfer: Transfer, left: () => void) {
    this.#receiver = receiver
    this.#transfer = transfer
    this.#left = left
  }

  isWhole (name: string): boolean {
    return this.#transfer.isWhole(this.#receiver.normalise(name))
  }

  keptBytes (name: string): number {
    return this.#transfer.keptBytes(this.#receiver.normalise(name))
  }

  async file (name: string, options: FileOptions = {}): Promise<PartWriter> {
    const { signal } = options
    const writer = await this.#receiver.begin(name, options, async announced => {
      const bytes = (announced.size ?? 0) - this.#transfer.keptBytes(announced.name)
      // Of a small file the system says it as soon.
      if (bytes > SMALL_FILE_BYTES) await this.#receiver.checkSpace(announced.name, bytes)
      return await this.#transfer.file(announced, () => signal?.removeEventListener('abort', onAbort))
    })
    const onAbort = (): void => { void writer.keep() }
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted === true) await writer.keep()
    signal?.throwIfAborted()
    return writer
  }

  async files (files: readonly WholeFile[], { signal }: AbortOptions = {}): Promise<Array<PromiseSettledResult<ReceivedFile>>> {
    signal?.throwIfAborted()
    const results = files.map((): PromiseSettledResult<ReceivedFile> => ({ status: 'rejected', reason: undefined }))
    const running: Array<Promise<void>> = []
    let batch: Array<Whole & { readonly index: number }> = []
    let gathered = 0
    const run = async (work: Promise<void>): Promise<void> => {
      if (running.push(work) >= BATCHES) await running.shift()
    }
    const send = async (): Promise<void> => {
      const placing = this.#place(batch, results)
      batch = []
      gathered = 0
      await run(placing)
    }
    for (const [index, { name, bytes, ...options }] of files.entries()) {
      try {
        const announced = this.#receiver.announce(name, { ...options, size: bytes.length })
        if (bytes.length > SMALL_FILE_BYTES) await run(this.#alone(index, announced.name, bytes, options, results))
        else {
          if (batch.length === BATCH_FILES || gathered + bytes.length > BATCH_BYTES) await send()
          batch.push({ index, announced, bytes })
          gathered += bytes.length
        }
      } catch (reason) {
        results[index] = { status: 'rejected', reason }
      }
    }
    if (batch.length > 0) await send()
    await Promise.all(running)
    return results
  }

  async directory (name: string, options: Omit<FolderOptions, 'adopt'> = {}): Promise<boolean> {
    const normal = this.#receiver.checkFolder(name, options)
    options.signal?.throwIfAborted()
    return await this.#transfer.directory(normal, options.mode, options.mtimeMs)
  }

  async link (name: string, target: string, options: LinkOptions = {}): Promise<void> {
    const normal = this.#receiver.normalise(name)
    if (this.#transfer.isWhole(normal)) return
    await this.#receiver.link(normal, target, options)
    await this.#transfer.linked(normal)
  }

  async finish (): Promise<void> {
    await this.#transfer.finish()
    this.#left()
  }

  async close (): Promise<void> {
    await this.#transfer.close()
    this.#left()
  }

  async discard (): Promise<void> {
    await this.#transfer.discard()
    this.#left()
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.close()
  }

  async #place (batch: ReadonlyArray<Whole & { readonly index: number }>, results: Array<PromiseSettledResult<ReceivedFile>>): Promise<void> {
    const placed = await this.#transfer.files(batch)
    for (const [at, { index, announced, bytes }] of batch.entries()) {
      const result = placed[at] as PromiseSettledResult<string>
      results[index] = result.status === 'rejected' ? result : { status: 'fulfilled', value: { path: announced.path(result.value), name: result.value, size: bytes.length } }
    }
  }

  /** One that is too large for a batch. */
  async #alone (index: number, name: string, bytes: Uint8Array, options: FileOptions, results: Array<PromiseSettledResult<ReceivedFile>>): Promise<void> {
    try {
      const begin = async (): Promise<PartWriter> => await this.file(name, { ...options, size: bytes.length })
      let writer = await begin()
      try {
        if (writer.size > 0) {
          await writer.abort()
          writer = await begin()
        }
        await writer.write(bytes)
        results[index] = { status: 'fulfilled', value: await writer.finish() }
      } catch (error) {
        await writer.abort()
        throw error
      }
    } catch (reason) {
      results[index] = { status: 'rejected', reason }
    }
  }
}
