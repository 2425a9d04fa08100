import { createHash } from 'node:crypto'
import type { Hashes } from '../ports.ts'

/** Hashes of `node:crypto`. */
export const nodeHashes: Hashes = {
  sha1: bytes => createHash('sha1').update(bytes).digest(),
  sha256: bytes => createHash('sha256').update(bytes).digest(),
  running: () => {
    const hash = createHash('sha256')
    return { update: bytes => { hash.update(bytes) }, digest: () => hash.digest() }
  }
}
