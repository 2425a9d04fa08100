import type { AbortOptions, Connection } from '@ropewalk/interface'
import { yamux } from '@ropewalk/muxer-yamux'
import { select } from '@ropewalk/negotiate'
import { asConnection, whileOpen } from './services/muxed.ts'

/** By what a channel of a muxed connection is asked to speak the storage protocol. Ours. */
export const STORAGE_PROTOCOL = '/ropewalk/mdsftp/1'

/** The one channel of `connection` that speaks `protocol`: when both of its directions have ended, so has the connection. */
export async function channelOf (connection: Connection, protocol: string, { signal }: AbortOptions): Promise<Connection> {
  const muxer = yamux(connection, { role: 'client' })
  try {
    const { channel } = await select(await muxer.open({ signal }), [protocol], { signal })
    const close = (): void => { muxer.close({ signal: AbortSignal.timeout(CLOSE_MS) }).catch((error: unknown) => { muxer.abort(error as Error) }) }
    return {
      ...whileOpen(asConnection(channel, connection.remote), close),
      abort: reason => {
        channel.abort(reason)
        muxer.abort(reason)
      }
    }
  } catch (error) {
    muxer.abort(error as Error)
    throw error
  }
}

/** How long the other side may take to agree to the end. Ours. */
const CLOSE_MS = 1000
