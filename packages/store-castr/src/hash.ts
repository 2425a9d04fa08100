import { hash } from 'node:crypto'
import type { Hasher } from '@ropewalk/interface'

/** The digests of Node, at once: a chunk takes less time than another thread would. */
export const nodeHash: Hasher = (digest, bytes) => hash(digest === 'sha256' ? 'sha256' : 'sha512-256', bytes, 'buffer')
