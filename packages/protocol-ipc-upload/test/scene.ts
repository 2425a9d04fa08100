/** A node in memory, tokens, and clients that say what they are told to. */
import { createHash } from 'node:crypto'
import { link, VirtualClock } from '@ropewalk/testing'
import type { Channel } from '@ropewalk/interface'
import { Deframer, encodeFrame, encodeReadme, decodeReadme, decodeFinal, type FinalMessage, type Frame, type RawBlock, type ReadmeMessage, type Taken } from '../src/codec.ts'
import { serve, UploadNode, type Block, type FoundFile, type WantedFile, type StoredUpload, type UploadFile, type UploadNodeOptions, type UploadPlan, type UploadStore } from '../src/index.ts'
import { issueToken, nodeHashes, verifyWithKey } from '../src/node/index.ts'
import { TransferState } from '../src/transfer-state.ts'

export const KEY: Uint8Array = new TextEncoder().encode('nico-nico-nii')
export const FID = '3f2504e0-4f89-41d3-9a0c-0305e82c3301'
/** The moment at which the virtual clocks of these tests stand: in 2019. */
export const NOW = 1_577_000_000_000

export class MemoryUploadStore implements UploadStore {
  readonly uploads = new Map<string, { plan: UploadPlan, state: TransferState, content: Uint8Array[], finished: Set<number> }>()
  /** Blocks in the order of writing. */
  readonly written: Block[] = []
  batches = 0
  failures = 0

  async open (id: string): Promise<StoredUpload | undefined> {
    const upload = this.uploads.get(id)
    return upload === undefined ? undefined : { plan: upload.plan, missing: upload.state.missing(), created: false }
  }

  async create (plan: UploadPlan): Promise<StoredUpload> {
    const there = await this.open(plan.id)
    if (there !== undefined) return there
    const missing = plan.files.flatMap(({ size }, file): Array<[number, number, number]> => size === 0 ? [] : [[file, 0, Math.ceil(size / plan.blockBytes) - 1]])
    this.uploads.set(plan.id, { plan, state: new TransferState(plan, missing), content: plan.files.map(({ size }) => new Uint8Array(size)), finished: new Set() })
    return { plan, missing, created: true }
  }

  async write (plan: UploadPlan, blocks: readonly Block[]): Promise<void> {
    if (this.failures > 0) {
      this.failures--
      throw new Error('disk full')
    }
    this.batches++
    const { content, state } = this.uploads.get(plan.id) as never as { content: Uint8Array[], state: TransferState }
    for (const block of blocks) {
      this.written.push(block)
      content[block.file]?.set(block.bytes, block.index * plan.blockBytes)
      const place = state.at(block.file, block.index)
      if (place === undefined) throw new Error('no such block')
      state.mark(place)
    }
  }

  async read (plan: UploadPlan, file: number, index: number): Promise<Uint8Array> {
    return (this.uploads.get(plan.id)?.content[file] as Uint8Array).slice(index * plan.blockBytes, (index + 1) * plan.blockBytes)
  }

  async finish (plan: UploadPlan, file: number): Promise<void> {
    this.uploads.get(plan.id)?.finished.add(file)
  }

  async reset (plan: UploadPlan, file: number): Promise<void> {
    this.uploads.get(plan.id)?.state.reset(file)
  }

  async find ({ digest, name, tags = [], owner }: WantedFile): Promise<FoundFile | undefined> {
    for (const [id, { plan, finished }] of this.uploads) {
      if (!tags.every(tag => plan.tags.includes(tag)) || (id.length === 36 && plan.owner !== owner)) continue
      const file = plan.files.findIndex((planned, at) => planned.digest !== undefined && planned.digest === (digest ?? planned.digest) && planned.name === (name ?? planned.name) && (id.length === 64 || finished.has(at)))
      if (file !== -1) return { plan, file }
    }
    return undefined
  }
}

export interface Scene {
  node: UploadNode
  store: MemoryUploadStore
  clock: VirtualClock
  token (uid?: number, ttlMs?: number): Promise<string>
}

export function scene (options: Partial<UploadNodeOptions> = {}): Scene {
  const clock = new VirtualClock(NOW)
  const store = (options.store ?? new MemoryUploadStore()) as MemoryUploadStore
  const now = (): number => clock.now()
  const node = new UploadNode({ store, verifyToken: verifyWithKey({ key: KEY, minKeyBytes: 1, now }), hashes: nodeHashes, clock, ...options })
  return { node, store, clock, token: (uid = 1002, ttlMs) => issueToken({ key: KEY, login: 'test', uid, ...(ttlMs === undefined ? {} : { ttlMs }), now }) }
}

export function fileOf (name: string, size: number, seed: number = 1): UploadFile & { digest: string, content: Uint8Array } {
  const content = Uint8Array.from({ length: size }, (_, at) => Math.imul(at + 1, 2_654_435_761 + seed * 97) >>> 13)
  return { name, size, content, digest: createHash('sha256').update(content).digest('hex'), read: (position, length) => content.subarray(position, position + length) }
}

/** One end of a channel, used by hand. */
export class Speaker {
  readonly channel: Channel
  readonly #queue: Uint8Array[] = []
  readonly #frames: Frame[] = []
  readonly #deframer = new Deframer('stream6')
  readonly #iterator: AsyncIterator<Iterable<Uint8Array>>
  #wake: (() => void) | undefined
  #ended = false

  constructor (channel: Channel) {
    this.channel = channel
    this.#iterator = channel.source[Symbol.asyncIterator]()
    channel.sink(this.#outgoing()).catch(() => {})
  }

  raw (bytes: Uint8Array): void {
    this.#queue.push(bytes)
    this.#wake?.()
  }

  say (message: ReadmeMessage): void {
    const { userType, payload } = encodeReadme(message)
    this.raw(encodeFrame('stream6', userType, payload))
  }

  end (): void {
    this.#ended = true
    this.#wake?.()
  }

  /** `undefined` at the end. */
  async frame (): Promise<Frame | undefined> {
    while (this.#frames.length === 0) {
      const { done, value } = await this.#iterator.next()
      if (done === true) return undefined
      for (const chunk of value) this.#frames.push(...this.#deframer.push(chunk))
    }
    return this.#frames.shift()
  }

  async hear (): Promise<ReadmeMessage & { type: 'Response' } | undefined> {
    const frame = await this.frame()
    return frame === undefined ? undefined : decodeReadme(frame.userType, frame.payload) as ReadmeMessage & { type: 'Response' }
  }

  /** Anything with an id. */
  async hearAny (): Promise<Exclude<ReadmeMessage, RawBlock | Taken>> {
    const frame = await this.frame()
    if (frame === undefined) throw new Error('the end')
    return decodeReadme(frame.userType, frame.payload) as Exclude<ReadmeMessage, RawBlock | Taken>
  }

  async hearFinal (): Promise<FinalMessage> {
    const frame = await this.frame()
    if (frame === undefined) throw new Error('the end')
    return decodeFinal(frame.userType, frame.payload)
  }

  async * #outgoing (): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = this.#queue.shift()
      if (next !== undefined) yield next
      else if (this.#ended) return
      else await new Promise<void>(resolve => { this.#wake = resolve })
    }
  }
}

export function connect (node: UploadNode, profile: 'readme' | 'final' = 'readme'): { speaker: Speaker, served: Promise<void>, cut: (how: 'reset' | 'end') => void } {
  const { left, right, cut } = link()
  const served = serve(right, { node, profile })
  served.catch(() => {})
  return { speaker: new Speaker(left), served, cut }
}
