/**
 * Sends content over a channel: the client's upload and the server's answer to Retrieve are the same loop.
 *
 * The source is read no further than the window, and what the window allows is read ahead, so that the disk and the
 * network work at the same time.
 *
 * @module
 */
import type { StorageConnection } from './connection.ts'
import { FAST_FRAGMENT_BYTES, FRAGMENT_BYTES } from './constants.ts'
import type { Feed } from './feed.ts'
import { closedEarly, type Exchange } from './exchange.ts'
import { SenderState, type SenderOptions } from './sender-state.ts'

export interface SendingOptions extends SenderOptions {
  /** How long the peer may take to acknowledge. */
  readonly progressMs: number
  readonly onAcknowledged?: ((bytes: number) => void) | undefined
}

/** Sends `options.size` bytes of `feed`. Resolves when the peer has acknowledged the last; the channel is then still open. */
export async function sendContent (exchange: Exchange, feed: Feed, options: SendingOptions): Promise<void> {
  const state = new SenderState(options)
  const halt = new Halt()
  let room = (): void => {}
  const acknowledged = receiveAcknowledgements()
  acknowledged.catch((error: unknown) => { halt.stop(error) })

  try {
    while (!state.sentAll) {
      if (!state.mayGo) {
        await halt.unless(new Promise<void>(resolve => { room = resolve }))
        continue
      }
      const content = await halt.unless(feed.take(state.nextBytes))
      const last = state.nextIsLast
      if (last) await halt.unless(feed.end())
      if (exchange.heedful) await halt.unless(exchange.courteous())
      const number = state.send()
      if (state.outstandingFragments === 1) exchange.within(options.progressMs, 'acknowledgement')
      // Not awaited: it is bounded by the window, and the channel tells of its failures where acknowledgements are awaited.
      const taken = exchange.channel.sendFragment(last, number, content).catch(() => {})
      // What waits in a queue could not be held back any more.
      if (exchange.heedful) await halt.unless(taken)
    }
    await acknowledged
  } finally {
    feed.leave()
  }

  async function receiveAcknowledgements (): Promise<void> {
    while (!state.acknowledgedAll) {
      const packet = await exchange.next()
      if (packet === undefined) throw closedEarly(`${state.acknowledgedBytes} of ${state.size} bytes acknowledged`)
      if (packet.type !== 'RecvAck') continue
      const { fragments } = state.acknowledge(packet.number, exchange.now())
      if (fragments === 0) continue
      feed.settled(fragments)
      if (state.outstandingFragments === 0) exchange.pause()
      else exchange.within(options.progressMs, 'acknowledgement')
      options.onAcknowledged?.(state.acknowledgedBytes)
      room()
    }
  }
}

/** What somebody has asked for, or what suits the peer: the original is spared what it does not send itself. */
export function fragmentSizes (fragmentBytes: number | undefined, { profile, courtesy }: Pick<StorageConnection, 'profile' | 'courtesy'>): Pick<SenderOptions, 'fragmentBytes' | 'fastFragmentBytes'> {
  if (fragmentBytes !== undefined) return { fragmentBytes }
  const own = courtesy === undefined && profile.name !== 'seed'
  return { fragmentBytes: FRAGMENT_BYTES, fastFragmentBytes: own ? FAST_FRAGMENT_BYTES : undefined }
}

/** Breaks off one wait at a time. Unlike a race against one long-lived promise, it leaves nothing behind on it. */
class Halt {
  #stopped = false
  #reason: unknown
  #reject: (reason: unknown) => void = () => {}

  stop (reason: unknown): void {
    this.#stopped = true
    this.#reason = reason
    this.#reject(reason)
  }

  unless<T> (wait: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject
      wait.then(resolve, reject)
      if (this.#stopped) reject(this.#reason)
    })
  }
}
