/**
 * Two of our muxers on the two ends of a connection in memory.
 *
 * @module
 */
import type { MultiaddrConnection } from '@libp2p/interface'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { mdsftp, type MdsftpInit, type MdsftpStream, type MdsftpStreamMuxer } from '../src/index.ts'

export interface Stage {
  readonly dialer: MdsftpStreamMuxer
  readonly listener: MdsftpStreamMuxer
  readonly outbound: MultiaddrConnection
  readonly inbound: MultiaddrConnection
  /** Opens a stream from the dialer, and gives both its ends. */
  open (): Promise<[MdsftpStream, MdsftpStream]>
}

/** `init` is the listener's. */
export function stage (init?: MdsftpInit): Stage {
  const [outbound, inbound] = multiaddrConnectionPair()
  const dialer = mdsftp()().createStreamMuxer(outbound)
  const listener = mdsftp(init)().createStreamMuxer(inbound)
  return {
    dialer,
    listener,
    outbound,
    inbound,
    async open () {
      const come = new Promise<MdsftpStream>(resolve => listener.addEventListener('stream', event => resolve(event.detail), { once: true }))
      return [await dialer.createStream(), await come]
    }
  }
}

/** The next `type` event of `target`. */
export function next<E extends Event = Event> (target: EventTarget, type: string): Promise<E> {
  return new Promise(resolve => target.addEventListener(type, event => resolve(event as E), { once: true }))
}
