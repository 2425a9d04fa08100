/**
 * One connection, outgoing or incoming: a message of the original's, or frames of ours. Waits, within limits.
 *
 * @module
 */
import { ByteReader, toHex } from '@ropewalk/framing'
import type { Connection, Dial } from '@ropewalk/interface'
import type { Clock } from './clock.ts'
import { HELLO_ID, IDLE_TIMEOUT_MS, MESSAGE_TIMEOUT_MS, PREFACE } from './constants.ts'
import { SwarmError } from './errors.ts'
import { decodeFrame, encodeFrame, type HardenedFrame } from './hardened-codec.ts'
import { newNonce, proofText, type SwarmKey } from './membership.ts'
import { MessageCutter } from './message-cutter-codec.ts'
import type { PeerAddress, Profile } from './message.ts'

export interface ExchangeOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Where there is one, both sides prove that they know it before anything else is said. */
  readonly key?: SwarmKey | undefined
  readonly idleMs?: number | undefined
  readonly messageMs?: number | undefined
}

/** Writes `bytes` and ends. What the original does then, a reset included, says nothing (rule T1). */
export async function sendBytes (dial: Dial<PeerAddress>, to: PeerAddress, bytes: Uint8Array, options: ExchangeOptions): Promise<void> {
  await limited(options, async signal => {
    const connection = await dial(to, { signal })
    try {
      await connection.sink([bytes], { signal }).catch(error => { if (signal.aborted) throw error })
      for await (const bytes of connection.source) void bytes
    } catch (error) {
      if (signal.aborted) throw error
    } finally {
      await connection[Symbol.asyncDispose]()
    }
  })
}

/** Says who we are, then `frame`; resolves with the answer, where the frame has an id. */
export async function sendFrame (dial: Dial<PeerAddress>, to: PeerAddress, self: PeerAddress, frame: HardenedFrame, options: ExchangeOptions, before: readonly HardenedFrame[] = []): Promise<HardenedFrame | undefined> {
  return await limited(options, async signal => {
    const connection = await dial(to, { signal })
    const proof = options.key === undefined ? undefined : new Proof(options.key, self, to)
    try {
      const frames = frame.action === 'Add' ? [frame] : [{ action: 'Add', from: self, files: [] } as const, ...before, frame]
      const sent = connection.sink(outgoing(frames, proof), { signal })
      sent.catch(() => {})
      const reader = new ByteReader(connection.source)
      const cutter = new MessageCutter({ name: 'as-implemented', firstNumber: 'count' })
      for (;;) {
        const value = await reader.next(cutter, { signal })
        if (value === undefined) {
          if (frame.id === undefined && proof?.waits !== true) return undefined
          throw new SwarmError('ERR_INTERRUPTED', 'the connection ended before the answer')
        }
        if (cutter.hardened !== true) throw new SwarmError('ERR_BAD_PREFACE', 'the answer is none of ours')
        if (value.length === PREFACE.length) continue
        const answer = decodeFrame(value)
        if (proof?.waits === true) await proof.take(answer)
        else if (frame.id !== undefined && answer.re === frame.id) return answer
      }
    } finally {
      proof?.abandon()
      await connection[Symbol.asyncDispose]()
    }
  })
}

/** Every message of one incoming connection, within the limits of time. `undefined` in place of bytes is the preface. */
export async function receive (connection: Connection, profile: Profile, options: ExchangeOptions, take: (bytes: Uint8Array, hardened: boolean) => Promise<void>): Promise<void> {
  await limited(options, async (signal, alive) => {
    const reader = new ByteReader(counted(connection, alive))
    const cutter = new MessageCutter(profile)
    for (;;) {
      const value = await reader.next(cutter, { signal })
      if (value === undefined) return
      await take(value, cutter.hardened === true)
      if (cutter.hardened !== true) return
    }
  })
}

/** What a dialer says, in order; the frames themselves wait until both sides have proven themselves. */
async function * outgoing (frames: readonly HardenedFrame[], proof: Proof | undefined): AsyncGenerator<Uint8Array> {
  yield Uint8Array.from(PREFACE)
  if (proof !== undefined) {
    yield encodeFrame(proof.hello)
    const proven = await proof.proven
    if (proven === undefined) return
    yield encodeFrame(proven)
  }
  for (const frame of frames) yield encodeFrame(frame)
}

/** The dialer's side of a handshake. */
class Proof {
  readonly #key: SwarmKey
  readonly #self: PeerAddress
  readonly #to: PeerAddress
  readonly #nonce: string = newNonce()
  readonly #settled = Promise.withResolvers<HardenedFrame | undefined>()
  waits: boolean = true

  constructor (key: SwarmKey, self: PeerAddress, to: PeerAddress) {
    this.#key = key
    this.#self = self
    this.#to = to
  }

  get hello (): HardenedFrame {
    return { id: HELLO_ID, action: 'Add', from: this.#self, nonce: this.#nonce, files: [] }
  }

  /** What is to be sent when the other side has proven itself; undefined where it will not. */
  get proven (): Promise<HardenedFrame | undefined> {
    return this.#settled.promise
  }

  /** Throws `ERR_UNKNOWN_PEER` where the other side does not know the key. */
  async take (answer: HardenedFrame): Promise<void> {
    const { nonce, mac } = answer.action === 'Files' ? answer : {}
    const handshake = { dialer: this.#self, acceptor: this.#to, dialerNonce: this.#nonce, acceptorNonce: nonce ?? '' }
    if (answer.re !== HELLO_ID || mac === undefined || nonce === undefined || !await this.#key.verify(proofText('acceptor', handshake), mac)) {
      throw new SwarmError('ERR_UNKNOWN_PEER', `${this.#to.host} ${this.#to.port} does not know the key of the swarm`)
    }
    this.waits = false
    this.#settled.resolve({ action: 'Add', from: this.#self, nonce: this.#nonce, mac: await this.#key.sign(proofText('dialer', handshake)), files: [] })
  }

  abandon (): void {
    this.#settled.resolve(undefined)
  }
}

export function hex (bytes: Uint8Array): string {
  return toHex(bytes)
}

async function * counted (connection: Connection, alive: () => void): AsyncIterable<Uint8Array> {
  for await (const list of connection.source) {
    alive()
    for (const bytes of list) yield bytes
  }
}

async function limited<T> (options: ExchangeOptions, run: (signal: AbortSignal, alive: () => void) => Promise<T>): Promise<T> {
  const { clock, signal: outer, idleMs = IDLE_TIMEOUT_MS, messageMs = MESSAGE_TIMEOUT_MS } = options
  const control = new AbortController()
  const expire = (what: string, ms: number) => () => { control.abort(new SwarmError('ERR_TIMEOUT', `${what}: nothing within ${ms} ms`)) }
  const stop = (): void => { control.abort(outer.reason) }
  outer.addEventListener('abort', stop)
  if (outer.aborted) stop()
  const cancelTotal = clock.after(messageMs, expire('message', messageMs))
  let cancelIdle = clock.after(idleMs, expire('bytes', idleMs))
  try {
    return await run(control.signal, () => {
      cancelIdle()
      cancelIdle = clock.after(idleMs, expire('bytes', idleMs))
    })
  } finally {
    cancelTotal()
    cancelIdle()
    outer.removeEventListener('abort', stop)
  }
}
