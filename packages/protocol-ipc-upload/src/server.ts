/**
 * Serves one connection. What comes is read no faster than answers are taken: a peer that does not listen is not heard.
 *
 * @module
 */
import type { AbortOptions, Channel } from '@ropewalk/interface'
import { IDLE_TIMEOUT_MS, LINGER_BYTES } from './constants.ts'
import type { Profile } from './describe-codec.ts'
import { IpcUploadError } from './errors.ts'
import { Deframer, encodeFrame, type Framing } from './frame-codec.ts'
import type { UploadNode } from './node.ts'
import type { Encoded } from './readme-codec.ts'
import { FinalSession } from './serve-final.ts'
import { ReadmeSession } from './serve-readme.ts'

export interface ServeOptions extends AbortOptions {
  readonly node: UploadNode
  /** Default `readme`. */
  readonly profile?: Profile | undefined
  /** Default `stream6`. Packets of `seqpacket` come through a Channel as `stream6`. */
  readonly framing?: Exclude<Framing, 'seqpacket'> | undefined
  /** How long a client may say nothing. Default 60 s. */
  readonly idleMs?: number | undefined
}

/** Serves until the client ends, or must. Rejects with what broke the connection; what a client does wrong on it is answered, and breaks nothing. */
export async function serve (channel: Channel, options: ServeOptions): Promise<void> {
  const { node, profile = 'readme', framing = 'stream6', idleMs = IDLE_TIMEOUT_MS, signal } = options
  signal?.throwIfAborted()
  const session = profile === 'readme' ? new ReadmeSession(node) : new FinalSession(node)
  const onAbort = (): void => { channel.abort(signal?.reason as Error) }
  signal?.addEventListener('abort', onAbort)
  let failure: { readonly error: unknown } | undefined
  const source = channel.source[Symbol.asyncIterator]()
  try {
    await channel.sink(answers())
    await linger()
  } catch (error) {
    channel.abort(error as Error)
    throw signal?.aborted === true ? signal.reason : failure === undefined ? error : failure.error
  } finally {
    signal?.removeEventListener('abort', onAbort)
    await session.close()
  }

  async function * answers (): AsyncGenerator<Uint8Array, void, undefined> {
    const deframer = new Deframer(framing)
    let cancel = watch()
    try {
      for (;;) {
        const { done, value: list } = await source.next()
        cancel()
        if (done === true) break
        for (const chunk of list) {
          for (const { userType, payload } of deframer.push(chunk)) {
            yield * framed(await session.receive(userType, payload))
            if (session.over) return
          }
        }
        yield * framed(await session.flush())
        cancel = watch()
      }
      deframer.end()
    } catch (error) {
      failure ??= { error }
      throw error
    } finally {
      cancel()
    }
  }

  /** Who stops listening in the middle of what is said may not be heard: what comes still is thrown away, for a while. */
  async function linger (): Promise<void> {
    const cancel = watch()
    try {
      for (let left = LINGER_BYTES; session.over && left > 0;) {
        const { done, value } = await source.next()
        if (done === true) return
        left -= value.byteLength
      }
    } catch {
      // It was over in any case.
    } finally {
      cancel()
      await source.return?.()
    }
  }

  function watch (): () => void {
    return node.clock.after(idleMs, () => {
      failure = { error: new IpcUploadError('ERR_TIMEOUT', 'connection', `no message in ${idleMs} ms`) }
      channel.abort(failure.error as Error)
    })
  }

  function * framed (messages: readonly Encoded[]): Generator<Uint8Array, void, undefined> {
    for (const { userType, payload } of messages) yield encodeFrame(framing, userType, payload)
  }
}
