/** An inbox on disk, as a node has one: each offer is a transfer of `receive`. */
import { openReceiver, type Receiver, type ReceiveTransfer } from '@ropewalk/receive'
import type { Inbox, InboxFileOptions } from '../src/index.ts'

export class DiskInbox implements Inbox {
  readonly #receiver: Receiver
  readonly #transfer: ReceiveTransfer

  private constructor (receiver: Receiver, transfer: ReceiveTransfer) {
    this.#receiver = receiver
    this.#transfer = transfer
  }

  static async open (root: string): Promise<DiskInbox> {
    const receiver = await openReceiver(root)
    return new DiskInbox(receiver, await receiver.transfer('offer'))
  }

  async directory (name: string, { mode, mtimeMs }: Parameters<Inbox['directory']>[1]): Promise<void> {
    await this.#transfer.directory(name, { mode, mtimeMs })
  }

  async file (name: string, { size, mode, mtimeMs, signal }: InboxFileOptions): ReturnType<Inbox['file']> {
    const writer = await this.#transfer.file(name, { size, mode, mtimeMs, signal })
    const offset = writer.size
    return {
      verified: writer.verified,
      write: bytes => writer.write(bytes),
      verify: () => writer.verify(),
      finish: () => writer.finish(),
      keep: most => writer.keep(most),
      abort: () => writer.abort(),
      kept: from => writer.read(from, offset)
    }
  }

  kept (name: string): { bytes: number, whole: boolean } {
    return { bytes: this.#transfer.keptBytes(name), whole: this.#transfer.isWhole(name) }
  }

  async finish (): Promise<void> {
    await this.#transfer.finish()
  }

  /** As a process that dies, but orderly. */
  async close (): Promise<void> {
    await this.#receiver.close()
  }
}
