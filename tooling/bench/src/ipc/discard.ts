import type { Block, StoredUpload, UploadPlan, UploadStore } from '@ropewalk/protocol-ipc-upload'

/** Takes everything and keeps nothing: what is measured is the protocol, not the disk. */
export class Discard implements UploadStore {
  taken = 0
  readonly #zeros = new Uint8Array(1_048_576)

  async open (): Promise<undefined> {
    return undefined
  }

  async create (plan: UploadPlan): Promise<StoredUpload> {
    const [{ size } = { size: 0 }] = plan.files
    return { plan, missing: [[0, 0, Math.ceil(size / plan.blockBytes) - 1]], created: true }
  }

  async write (_plan: UploadPlan, blocks: readonly Block[]): Promise<void> {
    for (const block of blocks) this.taken += block.bytes.length
  }

  /** Of what was not kept, zeros. */
  async read (plan: UploadPlan, file: number, index: number): Promise<Uint8Array> {
    return await this.readRange(plan, file, index * plan.blockBytes, plan.blockBytes)
  }

  async readRange ({ files }: UploadPlan, file: number, position: number, length: number): Promise<Uint8Array> {
    return this.#zeros.subarray(0, Math.min(length, (files[file] as { size: number }).size - position))
  }

  async finish (): Promise<void> {}
  async reset (): Promise<void> {}

  async find (): Promise<undefined> {
    return undefined
  }
}
