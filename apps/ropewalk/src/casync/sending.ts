/**
 * Giving an index and its chunks, or an archive, to the other end.
 *
 * @module
 */
import type { ChunkSource, Source } from '@ropewalk/interface'
import { push, type Pushed } from '@ropewalk/protocol-casync'
import { nodeCompression } from '@ropewalk/store-castr'
import type { Context } from '../context.ts'
import { RopewalkError } from '../errors.ts'
import { formatLocator, sameHost, type Locator } from './locator.ts'
import { startRemote, withExit, type RemoteCall } from './sessions.ts'
import { throttle } from './throttle.ts'

export interface SendOptions {
  readonly index?: { readonly locator: Locator, readonly bytes: Source<Uint8Array> } | undefined
  readonly archive?: { readonly locator: Locator, readonly bytes: Source<Uint8Array> } | undefined
  readonly store?: { readonly locator: Locator, readonly chunks: ChunkSource } | undefined
  readonly rateLimitBps?: number | undefined
}

/** Resolves when the other end has said that it has everything, and has ended well. */
export async function send (context: Context, { index, archive, store, rateLimitBps }: SendOptions): Promise<Pushed> {
  const call: RemoteCall = {
    verb: 'push',
    index: index?.locator,
    archive: archive?.locator,
    stores: store === undefined ? [] : [store.locator],
    rateLimitBps,
    throttle: rateLimitBps === undefined ? undefined : throttle(rateLimitBps, context.now, context.signal)
  }
  const connection = await startRemote(context, call)
  try {
    const pushed = await push(connection, { index: index?.bytes, archive: archive?.bytes, store: store?.chunks, compression: nodeCompression(), signal: context.signal })
    const { code, signal } = await connection.exited
    if (code !== 0) throw new RopewalkError('ERR_INCOMPLETE', `the other end took everything and then failed: exit code ${code ?? signal ?? '?'}`)
    if (pushed.missing > 0) throw new RopewalkError('ERR_INCOMPLETE', `${pushed.missing} chunks that the other end asked for are not in the store`)
    return pushed
  } catch (error) {
    connection.abort(error instanceof Error ? error : new Error(String(error)))
    context.signal.throwIfAborted()
    throw await withExit(connection, call, error)
  }
}

/** The original sends nothing at all, or waits for ever, when index and store are on different hosts. */
export function assertTogether (index: Locator, store: Locator): void {
  if (sameHost(index, store)) return
  throw new RopewalkError('ERR_USAGE', 'a pushed index and its store must be on the same host', { text: `${formatLocator(index)} and ${formatLocator(store)}`, advice: ['The protocol asks for chunks of an index where the index goes.'] })
}
