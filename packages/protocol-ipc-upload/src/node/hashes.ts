import { createHash, hash as hashOnce } from 'node:crypto'
import type { Hashes } from '../ports.ts'

/** Hashes of `node:crypto`, and the base64 of Node. */
export const nodeHashes: Hashes = {
  sha1: bytes => hashOnce('sha1', bytes, 'buffer'),
  sha256: bytes => hashOnce('sha256', bytes, 'buffer'),
  sha256Hex: bytes => hashOnce('sha256', bytes, 'hex'),
  running: () => {
    const hash = createHash('sha256')
    return { update: bytes => { hash.update(bytes) }, digest: () => hash.digest() }
  },
  base64: {
    write: (bytes, target, offset) => { bufferOf(target).latin1Write(bufferOf(bytes).base64Slice(), offset) },
    read: text => Buffer.from(bufferOf(text).latin1Slice(), 'base64')
  }
}

/** What Node's own buffers can do without a look at the name of an encoding. */
interface Slices extends Buffer {
  latin1Write (text: string, offset: number): number
  latin1Slice (): string
  base64Slice (): string
}

function bufferOf (bytes: Uint8Array): Slices {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) as Slices
}
