import type { Socket } from 'node:net'

/** What a socket gives, by lines and by numbers of bytes. */
export class Input {
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor (socket: Socket) {
    this.#chunks = socket[Symbol.asyncIterator]()
  }

  /** The next line; undefined at the end. */
  async line (): Promise<string | undefined> {
    for (;;) {
      const end = this.#rest.indexOf(10)
      if (end >= 0) {
        const line = this.#rest.toString('latin1', 0, end)
        this.#rest = this.#rest.subarray(end + 1)
        return line
      }
      const { done, value } = await this.#chunks.next()
      if (done === true) return undefined
      this.#rest = Buffer.concat([this.#rest, value])
    }
  }

  /** At least one byte and at most `bytes`. */
  async some (bytes: number): Promise<Buffer> {
    if (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next()
      if (done === true) throw new Error('the other end has gone')
      this.#rest = value
    }
    const piece = this.#rest.subarray(0, bytes)
    this.#rest = this.#rest.subarray(piece.length)
    return piece
  }
}
