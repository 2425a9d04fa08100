import { connect } from 'node:net'

/**
 * What is at `path`, by an attempt to connect with a socket of streams: the library does not say why it cannot connect, and the kernel
 * tells one kind of socket from the other before anybody is disturbed.
 *
 *      EPROTOTYPE      somebody listens for packets
 *      connected       somebody listens for streams
 *      ECONNREFUSED    nobody listens
 *      other codes     what they say
 */
export function probe (path: string): Promise<string> {
  return new Promise(resolve => {
    const socket = connect({ path })
    socket.on('connect', () => {
      socket.destroy()
      resolve('connected')
    })
    socket.on('error', (error: NodeJS.ErrnoException) => { resolve(error.code ?? 'unknown') })
  })
}
