/**
 * An incoming connection: one message of an original, or frames of our own kind, answered on the same connection.
 *
 * @module
 */
import type { Connection } from '@ropewalk/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { PREFACE } from './constants.ts'
import { receive, type ExchangeOptions } from './exchange.ts'
import { decodeFrame, frameParts, type HardenedFrame } from './hardened-codec.ts'
import { newNonce, proofText, type Handshake } from './membership.ts'
import { Code, type PeerAddress, type Profile } from './message.ts'

export interface AnsweringOptions {
  readonly self: PeerAddress
  readonly profile: Profile
  readonly exchange: ExchangeOptions
  /** Takes the one message of an original. Not called where there is a key: an original cannot prove anything. */
  readonly message: (bytes: Uint8Array, remote: string) => Promise<void>
  /** Takes a frame of a peer that has said who it is; what it returns is sent back. */
  readonly frame: (frame: HardenedFrame, from: PeerAddress | undefined) => Promise<HardenedFrame | undefined>
}

/** Reads `connection` to its end. Rejects with what was wrong with it. */
export async function answerConnection (connection: Connection, options: AnsweringOptions): Promise<void> {
  const { exchange, profile } = options
  const answers = new Answers()
  const guest = new Guest(options)
  let sending: Promise<void> | undefined
  const send = async (...bytes: Uint8Array[]): Promise<void> => {
    sending ??= connection.sink(answers, { signal: exchange.signal })
    sending.catch(() => {})
    await Promise.race([answers.push(new Uint8ArrayList(...bytes)), sending])
  }
  try {
    let prefaced = false
    await receive(connection, profile, exchange, async (bytes, hardened) => {
      if (!hardened) {
        if (exchange.key === undefined) await options.message(bytes, connection.remote.address)
      } else if (!prefaced) {
        prefaced = true
        await send(Uint8Array.from(PREFACE))
      } else {
        const answer = await guest.frame(decodeFrame(bytes))
        if (answer !== undefined) await send(...frameParts(answer))
      }
    })
    answers.end()
    await sending
  } finally {
    answers.end()
  }
}

/** Who is at the other end, and whether it has shown that it belongs here. */
class Guest {
  readonly #options: AnsweringOptions
  #from: PeerAddress | undefined
  #handshake: Handshake | undefined
  #proven = false

  constructor (options: AnsweringOptions) {
    this.#options = options
  }

  async frame (frame: HardenedFrame): Promise<HardenedFrame | undefined> {
    if ('from' in frame && frame.from !== undefined) this.#from ??= frame.from
    const { key } = this.#options.exchange
    if (key === undefined) return await this.#options.frame(frame, this.#from)
    if (this.#proven) return await this.#options.frame(frame, this.#from)
    if (frame.action === 'Add' && frame.nonce !== undefined && this.#from !== undefined) {
      if (frame.mac === undefined) {
        this.#handshake = { dialer: this.#from, acceptor: this.#options.self, dialerNonce: frame.nonce, acceptorNonce: newNonce() }
        return { re: frame.id, action: 'Files', from: this.#options.self, nonce: this.#handshake.acceptorNonce, mac: await key.sign(proofText('acceptor', this.#handshake)), files: [] }
      }
      if (this.#handshake !== undefined && frame.nonce === this.#handshake.dialerNonce && await key.verify(proofText('dialer', this.#handshake), frame.mac)) {
        this.#proven = true
        return undefined
      }
    }
    return frame.id === undefined ? undefined : { re: frame.id, action: 'Error', code: Code.UnknownPeer, reason: 'not proven to be a member' }
  }
}

/** Answers under way: one at a time, each until the connection has taken it. */
class Answers implements AsyncIterable<Uint8ArrayList> {
  #waiting: { bytes: Uint8ArrayList, taken: () => void } | undefined
  #wake: (() => void) | undefined
  #ended = false

  /** Resolves when the connection asks for what comes after `bytes`. */
  push (bytes: Uint8ArrayList): Promise<void> {
    return new Promise(resolve => {
      this.#waiting = { bytes, taken: resolve }
      this.#wake?.()
    })
  }

  end (): void {
    this.#ended = true
    this.#wake?.()
  }

  async * [Symbol.asyncIterator] (): AsyncGenerator<Uint8ArrayList> {
    for (;;) {
      const next = this.#waiting
      if (next !== undefined) {
        this.#waiting = undefined
        // The one who pushes may go on: what is yielded is out of its hands.
        next.taken()
        yield next.bytes
      } else if (this.#ended) return
      else await new Promise<void>(resolve => { this.#wake = resolve })
    }
  }
}
