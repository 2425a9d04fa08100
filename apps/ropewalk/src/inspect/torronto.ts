import { AS_IMPLEMENTED, describe, DOCUMENTED, MessageCutter } from '@ropewalk/protocol-torronto/codec'
import type { InspectOptions, Inspection, Message } from './inspector.ts'

export function openTorronto ({ profile }: InspectOptions): Inspection {
  return new TorrontoInspection(profile === 'documented' ? DOCUMENTED : AS_IMPLEMENTED)
}

class TorrontoInspection implements Inspection {
  readonly #profile: typeof AS_IMPLEMENTED
  readonly #cutter: MessageCutter
  #offset = 0
  #taken = 0

  constructor (profile: typeof AS_IMPLEMENTED) {
    this.#profile = profile
    this.#cutter = new MessageCutter(profile)
  }

  get offset (): number {
    return this.#offset
  }

  push (chunk: Uint8Array, emit: (message: Message) => void): void {
    let at = 0
    for (;;) {
      const cut = this.#cutter.cut(chunk, at)
      if (cut === undefined) break
      this.#taken += cut.end - at
      at = cut.end
      this.#emit(cut.value as Uint8Array, emit)
      this.#offset = this.#taken
    }
    this.#taken += chunk.length - at
  }

  /** An original may end its one message early: what came is then the message. */
  end (emit: (message: Message) => void): void {
    const rest = this.#cutter.end()
    if (rest !== undefined) this.#emit(rest, emit)
  }

  #emit (bytes: Uint8Array, emit: (message: Message) => void): void {
    const { action, ...fields } = describe(this.#profile, bytes, this.#cutter.hardened === true)
    emit({ offset: this.#offset, type: action, ...fields })
  }
}
