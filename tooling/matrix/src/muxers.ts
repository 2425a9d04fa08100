import type { Channel, Connection } from '@ropewalk/interface'
import { mdsftp } from '@ropewalk/muxer-mdsftp'
import { yamux } from '@ropewalk/muxer-yamux'

/** What a case asks of a muxer. */
export interface Channels extends AsyncIterable<Channel> {
  open (): Promise<Channel>
  abort (reason: Error): void
}

export interface MuxerEntry {
  readonly name: string
  /** False: the connection is the only channel. */
  readonly many: boolean
  make (connection: Connection, role: 'dialer' | 'acceptor'): Channels
}

/** A muxer joins the matrix with one line. */
export const MUXERS: readonly MuxerEntry[] = [
  { name: 'none', many: false, make: connection => alone(connection) },
  { name: 'mdsftp', many: true, make: (connection, role) => mdsftp(connection, { role }) },
  { name: 'yamux', many: true, make: (connection, role) => yamux(connection, { role }) }
]

/** The connection itself, as the one channel that there is. */
function alone (connection: Connection): Channels {
  return {
    open: async () => connection,
    abort: reason => connection.abort(reason),
    async * [Symbol.asyncIterator] () { yield connection }
  }
}
