/**
 * `--rate-limit-bps`: bytes a second, over the network, of everything together.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { TokenBucket } from '@ropewalk/flow'
import type { Bytes, Channel, Source } from '@ropewalk/interface'

export type Throttle = <T extends Bytes>(source: Source<T>) => AsyncIterable<T>

/** What lets bytes pass at a mean of `bytesPerSecond`; a tenth of a second's worth may come at once. */
export function throttle (bytesPerSecond: number, now: () => number, signal: AbortSignal): Throttle {
  const bucket = new TokenBucket({ ratePerSecond: bytesPerSecond, burst: Math.max(1, bytesPerSecond / 10) })
  return async function * (source) {
    for await (const bytes of source) {
      for (;;) {
        const ms = bucket.take(bytes.byteLength, now())
        if (ms === 0) break
        await delay(ms, undefined, { signal })
      }
      yield bytes
    }
  }
}

/** Both directions of a channel share the rate. */
export function throttled<C extends Channel> (channel: C, pass: Throttle): C {
  const source = pass(channel.source)
  return new Proxy(channel, {
    get (target, name) {
      if (name === 'source') return source
      if (name === 'sink') return async (bytes: Source<Bytes>, options?: object) => { await target.sink(pass(bytes) as never, options) }
      const value = Reflect.get(target, name, target) as unknown
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
    }
  })
}

/** `fetch` whose bodies come at that rate. */
export function throttledFetch (pass: Throttle): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, init)
    if (response.body === null) return response
    const body = ReadableStream.from(pass(response.body as AsyncIterable<Uint8Array<ArrayBuffer>>))
    return new Response(body, response)
  }
}
