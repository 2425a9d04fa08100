import type { ChunkDigest } from '@ropewalk/interface'
import { ThreadedIntake, type Intake } from './intake.ts'

export interface IdentifierOptions {
  /** What ids are made of. Default SHA-512/256. */
  digest?: ChunkDigest | undefined
  /** Longest chunk that will come, at most 2 MiB. */
  maxChunkBytes: number
}

/** An intake that keeps nothing: threads that give chunks their ids. */
export function identifier ({ digest = 'sha512-256', maxChunkBytes }: IdentifierOptions): Intake {
  return new ThreadedIntake({ root: undefined, suffix: undefined, digest, format: undefined, durable: false, lease: undefined }, maxChunkBytes, async () => {})
}
