import { serviceCapabilities, type MessageStream, type StreamMuxerFactory } from '@libp2p/interface'
import { PROTOCOL } from './constants.ts'
import { MdsftpStreamMuxer, type MdsftpInit } from './stream-muxer.ts'

/** For `streamMuxers` of `createLibp2p`: a stream muxer that peers agree on as `/mdsftp/1.0.0`. */
export function mdsftp (init: MdsftpInit = {}): () => StreamMuxerFactory<MdsftpStreamMuxer> {
  return () => new MdsftpFactory(init)
}

class MdsftpFactory implements StreamMuxerFactory<MdsftpStreamMuxer> {
  readonly protocol: string = PROTOCOL
  readonly [Symbol.toStringTag] = '@ropewalk/libp2p'
  readonly [serviceCapabilities]: string[] = ['@libp2p/stream-multiplexing']
  readonly #init: MdsftpInit

  constructor (init: MdsftpInit) {
    this.#init = init
  }

  createStreamMuxer (connection: MessageStream): MdsftpStreamMuxer {
    return new MdsftpStreamMuxer(connection, this.#init)
  }
}
