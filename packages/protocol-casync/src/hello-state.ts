/**
 * What each side offers and wishes, and what may therefore come. Pure.
 *
 * @module
 */
import { HELLO_FLAGS } from './constants.ts'
import { CasyncError } from './errors.ts'
import type { Message, MessageType } from './message-codec.ts'

export type HelloFlag = keyof typeof HELLO_FLAGS

/** The names of the bits, lowest first. Those that nobody defined are left out. */
export function helloFlags (flags: bigint): HelloFlag[] {
  return FLAGS.filter(([, bit]) => (flags & BigInt(bit)) !== 0n).map(([name]) => name)
}

/** Checks what the peer says and in which order, for any role. Keeps no message. */
export class Conversation {
  readonly #local: number
  #remote = 0
  #greeted = false
  #over: MessageType | 'the end of the stream' | undefined
  readonly #ended = new Set<MessageType>()

  /** RangeError for flags that the reference would refuse to start with. */
  constructor (local: number) {
    if (local <= 0 || (local & ~KNOWN) !== 0) throw new RangeError(`flags 0x${local.toString(16)}`)
    for (const [readable, writable] of EXCLUSIVE) if ((local & readable) !== 0 && (local & writable) !== 0) throw new RangeError('readable and writable at the same time')
    this.#local = local
  }

  /** What is said first, without waiting for the peer. */
  get hello (): Message {
    return { type: 'HELLO', flags: BigInt(this.#local) }
  }

  /** Whether the peer's hello came, and fits ours. */
  get greeted (): boolean {
    return this.#greeted
  }

  /** Whether the peer has said goodbye, or is gone. */
  get over (): boolean {
    return this.#over !== undefined
  }

  /** Whether the peer wished or offered this, too. */
  agreed (flag: HelloFlag): boolean {
    return ((this.#local | this.#remote) & HELLO_FLAGS[flag]) !== 0
  }

  /** Throws for what may not come now; an ABORT becomes `ERR_ABORTED`. */
  receive (message: Message): void {
    const { type } = message
    if (type === 'ABORT') {
      const { errno, reason } = message
      throw new CasyncError('ERR_ABORTED', 'channel', `the peer gave up: ${reason === '' ? 'no reason' : reason} (error ${errno})`, { errno, reason })
    }
    if (this.#over !== undefined) this.#unexpected(type, `after ${this.#over}`)
    if (type === 'HELLO') {
      if (this.#greeted) this.#unexpected(type, 'a second time')
      this.#negotiate(message.flags)
      this.#greeted = true
      return
    }
    if (!this.#greeted) this.#unexpected(type, 'before HELLO')
    if (type === 'GOODBYE') {
      this.#over = type
      return
    }
    const [wish, given] = ACCEPTED[type]
    if ((this.#local & wish) === 0 && (this.#remote & given) === 0) this.#unexpected(type, 'which nobody wished')
    const end = END[type]
    if (end === undefined) return
    if (this.#ended.has(end)) this.#unexpected(type, `after ${end}`)
    if (end === type) this.#ended.add(end)
  }

  /** The stream of the peer has ended. */
  end (): void {
    this.#over ??= 'the end of the stream'
  }

  /** In the order of the reference, since what it says depends on it. Section 1.3 of the specification. */
  #negotiate (flags: bigint): void {
    if (flags === 0n || flags === 0xffff_ffff_ffff_ffffn) throw refuse('ERR_FLAGS', flags, 'none, or all of them')
    if ((flags & ~BigInt(KNOWN)) !== 0n) throw refuse('ERR_FLAGS', flags, 'a flag that nobody defined')
    const remote = Number(flags)
    const { PUSH_CHUNKS, PUSH_INDEX, PUSH_INDEX_CHUNKS } = HELLO_FLAGS
    const both = PUSH_INDEX | PUSH_CHUNKS
    if ((remote & PUSH_INDEX_CHUNKS) !== 0 && (remote & both) !== both) throw refuse('ERR_FLAGS', flags, 'PUSH_INDEX_CHUNKS without index or chunks')
    for (const [wish, service] of NEEDS) {
      for (const [one, other, who] of [[this.#local, remote, 'the peer does not offer'], [remote, this.#local, 'the peer wishes, and we do not offer']] as const) {
        if ((one & wish) !== 0 && (other & service) === 0) throw refuse('ERR_MISMATCH', flags, `${who} ${helloFlags(BigInt(service)).join()}`)
      }
    }
    if (((this.#local | remote) & WISHES) === 0) throw refuse('ERR_MISMATCH', flags, 'neither side wishes anything')
    this.#remote = remote
  }

  #unexpected (type: MessageType, when: string): never {
    throw new CasyncError('ERR_UNEXPECTED_MESSAGE', 'channel', `${type} ${when}`)
  }
}

const FLAGS = Object.entries(HELLO_FLAGS) as Array<[HelloFlag, number]>
const KNOWN = FLAGS.reduce((all, [, bit]) => all | bit, 0)
const WISHES = FLAGS.reduce((all, [name, bit]) => /^PU/.test(name) ? all | bit : all, 0)

/** What a wish needs at the other side. */
const NEEDS: ReadonlyArray<readonly [wish: number, service: number]> = [
  [HELLO_FLAGS.PULL_CHUNKS, HELLO_FLAGS.READABLE_STORE],
  [HELLO_FLAGS.PULL_INDEX, HELLO_FLAGS.READABLE_INDEX],
  [HELLO_FLAGS.PULL_ARCHIVE, HELLO_FLAGS.READABLE_ARCHIVE],
  [HELLO_FLAGS.PUSH_CHUNKS, HELLO_FLAGS.WRITABLE_STORE],
  [HELLO_FLAGS.PUSH_INDEX, HELLO_FLAGS.WRITABLE_INDEX],
  [HELLO_FLAGS.PUSH_ARCHIVE, HELLO_FLAGS.WRITABLE_ARCHIVE]
]

const EXCLUSIVE: ReadonlyArray<readonly [number, number]> = [
  [HELLO_FLAGS.READABLE_INDEX, HELLO_FLAGS.WRITABLE_INDEX],
  [HELLO_FLAGS.READABLE_ARCHIVE, HELLO_FLAGS.WRITABLE_ARCHIVE]
]

type Accepted = Exclude<MessageType, 'HELLO' | 'GOODBYE' | 'ABORT'>

/** A message comes because of this wish of ours, or that of the peer. Section 1.4 of the specification. */
const ACCEPTED: Readonly<Record<Accepted, readonly [ours: number, theirs: number]>> = {
  INDEX: [HELLO_FLAGS.PULL_INDEX, HELLO_FLAGS.PUSH_INDEX],
  INDEX_EOF: [HELLO_FLAGS.PULL_INDEX, HELLO_FLAGS.PUSH_INDEX],
  ARCHIVE: [HELLO_FLAGS.PULL_ARCHIVE, HELLO_FLAGS.PUSH_ARCHIVE],
  ARCHIVE_EOF: [HELLO_FLAGS.PULL_ARCHIVE, HELLO_FLAGS.PUSH_ARCHIVE],
  REQUEST: [HELLO_FLAGS.PUSH_CHUNKS, HELLO_FLAGS.PULL_CHUNKS],
  CHUNK: [HELLO_FLAGS.PULL_CHUNKS, HELLO_FLAGS.PUSH_CHUNKS],
  MISSING: [HELLO_FLAGS.PULL_CHUNKS, HELLO_FLAGS.PUSH_CHUNKS]
}

const END: Partial<Record<MessageType, MessageType>> = { INDEX: 'INDEX_EOF', INDEX_EOF: 'INDEX_EOF', ARCHIVE: 'ARCHIVE_EOF', ARCHIVE_EOF: 'ARCHIVE_EOF' }

function refuse (code: 'ERR_FLAGS' | 'ERR_MISMATCH', flags: bigint, why: string): CasyncError {
  return new CasyncError(code, 'channel', `HELLO 0x${flags.toString(16)}: ${why}`)
}
