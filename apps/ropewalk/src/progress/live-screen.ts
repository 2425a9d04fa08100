/**
 * The lines at the bottom of a terminal that are drawn anew, and text that scrolls away above them.
 *
 * @module
 */

/** What is needed of a terminal. */
export interface Terminal {
  write (text: string): unknown
  readonly columns?: number | undefined
  readonly rows?: number | undefined
}

/** Of a terminal that does not tell. */
export const DEFAULT_COLUMNS = 80
const DEFAULT_ROWS = 24

export class LiveScreen {
  readonly #terminal: Terminal
  #drawn = 0

  constructor (terminal: Terminal) {
    this.#terminal = terminal
  }

  get columns (): number {
    return this.#terminal.columns ?? DEFAULT_COLUMNS
  }

  get rows (): number {
    return this.#terminal.rows ?? DEFAULT_ROWS
  }

  /** Replaces what is drawn, in one write: what is erased first would flicker. */
  draw (lines: readonly string[]): void {
    const text = lines.map(line => `${line}\u001b[K\n`).join('')
    this.#terminal.write(`${this.#home()}${text}\u001b[J`)
    this.#drawn = lines.length
  }

  /** Removes what is drawn. */
  clear (): void {
    if (this.#drawn > 0) this.#terminal.write(`${this.#home()}\u001b[J`)
    this.#drawn = 0
  }

  /** What is drawn stays, and scrolls away like other text; of a `^C` behind it nothing does. */
  keep (): void {
    if (this.#drawn > 0) this.#terminal.write('\r\u001b[K')
    this.#drawn = 0
  }

  #home (): string {
    return this.#drawn === 0 ? '\r' : `\r\u001b[${this.#drawn}A`
  }
}
