/**
 * Proof that a peer knows the key of the swarm: HMAC-SHA-256 over both nonces and both identities, in both directions.
 * From section 14 of the specification.
 *
 * @module
 */
import { fromHex, toHex } from '@ropewalk/framing'
import { HELLO_ID, MIN_KEY_BYTES, NONCE_BYTES } from './constants.ts'
import { SwarmError } from './errors.ts'
import type { HardenedFrame } from './hardened-codec.ts'
import { peerKey, type PeerAddress } from './message.ts'

/** What all members know, and nobody else. */
export interface SwarmKey {
  /** In hex. */
  sign (text: Uint8Array): Promise<string>
  /** In constant time. */
  verify (text: Uint8Array, mac: string): Promise<boolean>
}

/** One handshake, as both sides see it. The nonces are hex. */
export interface Handshake {
  readonly dialer: PeerAddress
  readonly acceptor: PeerAddress
  readonly dialerNonce: string
  readonly acceptorNonce: string
}

/** Makes a key of `secret`. Throws RangeError where it is too short to be one. */
export async function swarmKey (secret: Uint8Array): Promise<SwarmKey> {
  if (secret.length < MIN_KEY_BYTES) throw new RangeError(`a key of a swarm has ${secret.length} < ${MIN_KEY_BYTES} bytes`)
  const key = await crypto.subtle.importKey('raw', secret.slice(), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
  return {
    sign: async text => toHex(new Uint8Array(await crypto.subtle.sign('HMAC', key, text.slice()))),
    verify: async (text, mac) => await crypto.subtle.verify('HMAC', key, fromHex(mac).slice(), text.slice())
  }
}

/** What is signed. Who signs is a part of it: nobody can send a proof back to whom it came from. */
export function proofText (signer: 'dialer' | 'acceptor', { dialer, acceptor, dialerNonce, acceptorNonce }: Handshake): Uint8Array {
  return new TextEncoder().encode(['ropewalk swarm 1', signer, dialerNonce, acceptorNonce, peerKey(dialer), peerKey(acceptor)].join('\n'))
}

export function newNonce (): string {
  return toHex(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)))
}

/** The dialer's side of a handshake. */
export class Proof {
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
