/**
 * A store of uploads that reports what is written to it and read from it, file by file.
 *
 * @module
 */
import type { AbortOptions } from '@ropewalk/interface'
import type { Block, FoundFile, StoredUpload, UploadPlan, UploadStore, WantedFile } from '@ropewalk/protocol-ipc-upload'
import type { ActivityBoard, Reporting } from '../activity/board.ts'
import { RopewalkError } from '../errors.ts'

/** Files that are reported at once; of more, the oldest is left to the store alone. Ours. */
const MAX_REPORTED = 1024

interface Report {
  readonly reporting: Reporting
  bytes: number
}

export class ReportedUploads implements UploadStore {
  readonly #store: UploadStore
  readonly #board: ActivityBoard
  readonly #incoming = new Map<string, Report>()
  readonly #outgoing = new Map<string, Report>()
  /** Whole files of what was opened: they are hashed and finished first, and what is read for that goes nowhere. */
  readonly #checked = new Set<string>()

  constructor (store: UploadStore, board: ActivityBoard) {
    this.#store = store
    this.#board = board
  }

  async open (id: string, options?: AbortOptions): Promise<StoredUpload | undefined> {
    const stored = await this.#store.open(id, options)
    if (stored !== undefined) this.#opened(stored)
    return stored
  }

  async create (plan: UploadPlan, options?: AbortOptions): Promise<StoredUpload> {
    const stored = await this.#store.create(plan, options)
    this.#opened(stored)
    return stored
  }

  async write (plan: UploadPlan, blocks: readonly Block[], options?: AbortOptions): Promise<void> {
    await this.#store.write(plan, blocks, options)
    const written = new Map<number, number>()
    for (const { file, bytes } of blocks) written.set(file, (written.get(file) ?? 0) + bytes.length)
    for (const [file, bytes] of written) {
      const report = this.#incoming.get(keyOf(plan, file))
      if (report !== undefined) report.reporting.moved(report.bytes += bytes)
    }
  }

  async read (plan: UploadPlan, file: number, index: number, options?: AbortOptions): Promise<Uint8Array> {
    const key = keyOf(plan, file)
    const bytes = await this.#store.read(plan, file, index, options)
    // What is still to be finished is read to be hashed, and goes nowhere.
    if (!this.#incoming.has(key)) this.#taken(key, plan, file, index * plan.blockBytes + bytes.length)
    return bytes
  }

  /** Where the store has it: without it what is taken whole would be read block by block. */
  get readRange (): UploadStore['readRange'] {
    const { readRange } = this.#store
    return readRange && (async (plan, file, position, length, options) => {
      const bytes = await readRange.call(this.#store, plan, file, position, length, options)
      const key = keyOf(plan, file)
      if (!this.#incoming.has(key)) this.#taken(key, plan, file, position + bytes.length)
      return bytes
    })
  }

  async finish (plan: UploadPlan, file: number, options?: AbortOptions): Promise<void> {
    await this.#store.finish(plan, file, options)
    this.#checked.delete(keyOf(plan, file))
    this.#over(this.#incoming, keyOf(plan, file), undefined)
  }

  async reset (plan: UploadPlan, file: number, options?: AbortOptions): Promise<void> {
    await this.#store.reset(plan, file, options)
    this.#checked.delete(keyOf(plan, file))
    this.#over(this.#incoming, keyOf(plan, file), new RopewalkError('ERR_DIGEST', 'what came is not what was announced'))
  }

  async find (wanted: WantedFile, options?: AbortOptions): Promise<FoundFile | undefined> {
    return await this.#store.find(wanted, options)
  }

  /** The same files, for who may take them and bring none. What a node does to a file whose last block has come waits for who may write. */
  readOnly (): UploadStore {
    const leave = async (plan: UploadPlan, file: number): Promise<void> => { this.#checked.delete(keyOf(plan, file)) }
    const refuse = async (): Promise<never> => { throw new RopewalkError('ERR_REFUSED', 'its grant is to read only') }
    return {
      open: async (id, options) => await this.open(id, options), read: async (plan, file, index, options) => await this.read(plan, file, index, options),
      readRange: this.readRange,
      find: async (wanted, options) => await this.find(wanted, options), create: refuse, write: refuse, finish: leave, reset: leave
    }
  }

  /** Nobody goes on with what is not whole: its clients have gone. */
  interrupted (): void {
    const gone = new RopewalkError('ERR_STOPPED', 'the connection has ended; what came is kept, and gone on with')
    for (const reports of [this.#incoming, this.#outgoing]) for (const key of [...reports.keys()]) this.#over(reports, key, gone)
  }

  #opened ({ plan, missing }: StoredUpload): void {
    const lacking = new Map<number, number>()
    for (const [file, first, last] of missing) lacking.set(file, (lacking.get(file) ?? 0) + last - first + 1)
    for (const file of plan.files.keys()) if (!lacking.has(file)) this.#checked.add(keyOf(plan, file))
    for (const [file, blocks] of lacking) {
      const key = keyOf(plan, file)
      const { name, size } = plan.files[file] as { name: string, size: number }
      if (!this.#incoming.has(key)) this.#begin(this.#incoming, key, 'in', name, size, plan.owner, Math.max(0, size - blocks * plan.blockBytes))
    }
  }

  #taken (key: string, plan: UploadPlan, file: number, bytes: number): void {
    if (this.#checked.has(key)) return
    const { name, size } = plan.files[file] as { name: string, size: number }
    const report = this.#outgoing.get(key) ?? this.#begin(this.#outgoing, key, 'out', name, size, plan.owner, 0)
    report.reporting.moved(bytes)
    if (bytes === size) this.#over(this.#outgoing, key, undefined)
  }

  #begin (reports: Map<string, Report>, key: string, direction: 'in' | 'out', name: string, size: number, owner: number, bytes: number): Report {
    const [oldest] = reports.keys()
    if (reports.size >= MAX_REPORTED && oldest !== undefined) this.#over(reports, oldest, new RopewalkError('ERR_REFUSED', 'too many at once to be followed'))
    const report = { reporting: this.#board.begin({ protocol: 'ipc', direction, name, size, bytes, peer: `user ${owner}` }), bytes }
    reports.set(key, report)
    return report
  }

  #over (reports: Map<string, Report>, key: string, error: Error | undefined): void {
    const report = reports.get(key)
    reports.delete(key)
    if (error === undefined) report?.reporting.done()
    else report?.reporting.failed(error)
  }
}

function keyOf ({ id }: UploadPlan, file: number): string {
  return `${id} ${file}`
}
