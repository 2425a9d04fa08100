/**
 * Addresses and their text.
 *
 *      seqpacket:/PATH
 *
 * @module
 */
import { MAX_UNIX_PATH_BYTES } from './constants.ts'
import { TransportError } from './errors.ts'

export interface SeqpacketAddress {
  readonly transport: 'seqpacket'
  readonly path: string
}

export function formatAddress ({ path }: SeqpacketAddress): string {
  return `seqpacket:${path}`
}

/** Throws `ERR_ADDRESS` for a path that no socket has. */
export function checkAddress ({ path }: SeqpacketAddress): void {
  const bytes = Buffer.byteLength(path)
  if (bytes === 0 || path.includes('\0')) throw new TransportError('ERR_ADDRESS', 'a path that is empty, or has a zero byte')
  if (bytes > MAX_UNIX_PATH_BYTES) throw new TransportError('ERR_ADDRESS', `path of ${bytes} > ${MAX_UNIX_PATH_BYTES} bytes`)
}
