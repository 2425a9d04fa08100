import { ReceiveError } from './errors.ts'

export interface QuotaLimits {
  readonly maxTotalBytes: number
  readonly maxEntries: number
}

/** What one receiver may still take: bytes and entries are counted before they are written. */
export class Quota {
  readonly #limits: QuotaLimits
  #bytes = 0
  #entries = 0
  #outstanding = 0

  constructor (limits: QuotaLimits) {
    this.#limits = limits
  }

  /** Bytes that were allowed, and are not written yet. */
  get outstanding (): number {
    return this.#outstanding
  }

  /** Throws `ERR_QUOTA` when so much is more than is left. */
  check (bytes: number, entries: number): void {
    const { maxTotalBytes, maxEntries } = this.#limits
    if (this.#bytes + bytes > maxTotalBytes) throw new ReceiveError('ERR_QUOTA', `${this.#bytes + bytes} > ${maxTotalBytes} bytes of all files together`)
    if (this.#entries + entries > maxEntries) throw new ReceiveError('ERR_QUOTA', `${this.#entries + entries} > ${maxEntries} entries`)
  }

  entry (): void {
    this.check(0, 1)
    this.#entries++
  }

  /** The entry has not come to be. */
  leaveEntry (): void {
    this.#entries--
  }

  /** Sets `bytes` aside for one file, of which `written` are there already. */
  allow (bytes: number, written = 0): Allowance {
    const change = (total: number, outstanding: number): void => {
      if (total > 0) this.check(total, 0)
      this.#bytes += total
      this.#outstanding += outstanding
    }
    change(bytes, bytes - written)
    return new Allowance(bytes, written, change)
  }
}

/** What one file may take: what was announced, and more where nothing was. */
export class Allowance {
  readonly #change: (total: number, outstanding: number) => void
  #bytes: number
  #written: number
  #ended = false

  constructor (bytes: number, written: number, change: (total: number, outstanding: number) => void) {
    this.#bytes = bytes
    this.#written = written
    this.#change = change
  }

  /** Throws `ERR_QUOTA` before more is written than may be. */
  take (bytes: number): void {
    const more = Math.max(0, this.#written + bytes - this.#bytes)
    this.#change(more, more - bytes)
    this.#bytes += more
    this.#written += bytes
  }

  /** What was not written is given back, and all of it where no file has come of it. Idempotent. */
  end (placed: boolean): void {
    if (this.#ended) return
    this.#ended = true
    const left = this.#bytes - this.#written
    this.#change(placed ? -left : -this.#bytes, -left)
  }
}
