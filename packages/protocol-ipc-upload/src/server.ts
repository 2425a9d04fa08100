/**
 * Serves one connection. What comes is read no faster than answers are taken: a peer that does not listen is not heard.
 *
 * @module
 */
import type { AbortOptions, Channel } from '@ropewalk/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import { IDLE_TIMEOUT_MS, LINGER_BYTES, ReadmeType } from './constants.ts'
import type { Profile } from './describe-codec.ts'
import { IpcUploadError } from './errors.ts'
import { frameReader, written, type Framing } from './frame-codec.ts'
import type { UploadNode } from './node.ts'
import { FinalSession } from './serve-final.ts'
import { ReadmeSession } from './serve-readme.ts'

export interface ServeOptions extends AbortOptions {
  readonly node: UploadNode
  /** Default `readme`. With `auto` the first message decides: who begins with a Login speaks `final`. */
  readonly profile?: Profile | 'auto' | undefined
  /**
   * Default `stream6`. With `auto` the first byte decides: a 0 begins `stream4`. `seqpacket` is for channels that keep packets apart:
   * each buffer that comes out is one, and so is each that goes in.
   */
  readonly framing?: Framing | 'auto' | undefined
  /** How long a client may say nothing. Default 60 s. */
  readonly idleMs?: number | undefined
}

/** Serves until the client ends, or must. Rejects with what broke the connection; what a client does wrong on it is answered, and breaks nothing. */
export async function serve (channel: Channel, options: ServeOptions): Promise<void> {
  const { node, profile = 'readme', idleMs = IDLE_TIMEOUT_MS, signal } = options
  let framing: Framing = options.framing === 'auto' ? 'stream6' : options.framing ?? 'stream6'
  signal?.throwIfAborted()
  let session: ReadmeSession | FinalSession | undefined
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
    await session?.close()
  }

  async function * answers (): AsyncGenerator<Uint8Array | Uint8ArrayList, void, undefined> {
    let deframer = options.framing === 'auto' ? undefined : frameReader(framing)
    let cancel = watch()
    try {
      for (;;) {
        const { done, value: list } = await source.next()
        cancel()
        if (done === true) break
        for (const chunk of list) {
          if (deframer === undefined) {
            // Lengths below 16 MiB begin with a 0, and no client says that the server closes.
            if (chunk[0] === 0) framing = 'stream4'
            deframer = frameReader(framing)
          }
          for (const { userType, payload } of deframer.push(chunk)) {
            session ??= isReadme(profile, userType) ? new ReadmeSession(node) : new FinalSession(node)
            yield * written(framing, await session.receive(userType, payload))
            if (session.over) return
          }
        }
        yield * written(framing, await session?.flush() ?? [])
        cancel = watch()
      }
      deframer?.end()
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
      for (let left = LINGER_BYTES; session?.over === true && left > 0;) {
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
}

/** The user types of the two profiles do not overlap: AUTHENTICATION, RESPONSE and TRANSFER are 1 to 3, and nothing of `final` is. */
function isReadme (profile: Profile | 'auto', userType: number): boolean {
  if (profile !== 'auto') return profile === 'readme'
  return userType >= ReadmeType.Authentication && userType <= ReadmeType.Transfer
}
