/**
 * One connection: a message of the original's going out, or whatever comes in. Waits, within limits.
 *
 * @module
 */
import { ByteReader, toHex } from '@ropewalk/framing'
import type { Connection, Dial } from '@ropewalk/interface'
import type { Clock } from './clock.ts'
import { IDLE_TIMEOUT_MS, MESSAGE_TIMEOUT_MS } from './constants.ts'
import { SwarmError } from './errors.ts'
import type { SwarmKey } from './membership.ts'
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

/** Every message of one incoming connection, each within the limits of time. */
export async function receive (connection: Connection, profile: Profile, options: ExchangeOptions, take: (bytes: Uint8Array, hardened: boolean) => Promise<void>): Promise<void> {
  await limited(options, async (signal, alive, again) => {
    const reader = new ByteReader(counted(connection, alive))
    const cutter = new MessageCutter(profile)
    for (;;) {
      const value = await reader.next(cutter, { signal })
      if (value === undefined) return
      await take(value, cutter.hardened === true)
      if (cutter.hardened !== true) return
      again()
    }
  })
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

async function limited<T> (options: ExchangeOptions, run: (signal: AbortSignal, alive: () => void, again: () => void) => Promise<T>): Promise<T> {
  const { clock, signal: outer, idleMs = IDLE_TIMEOUT_MS, messageMs = MESSAGE_TIMEOUT_MS } = options
  const control = new AbortController()
  const expire = (what: string, ms: number) => () => { control.abort(new SwarmError('ERR_TIMEOUT', `${what}: nothing within ${ms} ms`)) }
  const stop = (): void => { control.abort(outer.reason) }
  outer.addEventListener('abort', stop)
  if (outer.aborted) stop()
  let cancelTotal = clock.after(messageMs, expire('message', messageMs))
  let cancelIdle = clock.after(idleMs, expire('bytes', idleMs))
  try {
    return await run(control.signal, () => {
      cancelIdle()
      cancelIdle = clock.after(idleMs, expire('bytes', idleMs))
    }, () => {
      cancelTotal()
      cancelTotal = clock.after(messageMs, expire('message', messageMs))
    })
  } finally {
    cancelTotal()
    cancelIdle()
    outer.removeEventListener('abort', stop)
  }
}
