import type { ChunkDigest } from '@ropewalk/interface'
import { ThreadedIntake, type Intake } from './intake.ts'
import type { NamingOptions } from './naming.ts'
import type { WantedChunks } from './wanted.ts'

export interface IdentifierOptions {
  /** What ids are made of. Default SHA-512/256. */
  digest?: ChunkDigest | undefined
  /** Longest chunk that will come, at most 2 MiB. */
  maxChunkBytes: number
  /** Write chunks that a file lacks to their places in it, while they are at hand. */
  onto?: Onto | undefined
}

export interface Onto {
  /** Open for writing, until the intake is closed. */
  readonly file: number
  readonly wanted: WantedChunks
  /** Told of each chunk that was written. */
  placed (place: number, length: number): void
}

/** An intake that keeps nothing: threads that give chunks their ids. */
export function identifier ({ digest = 'sha512-256', maxChunkBytes, onto }: IdentifierOptions): Intake {
  const options: NamingOptions = { digest, onto: onto === undefined ? undefined : { file: onto.file, wanted: onto.wanted.memory } }
  return new ThreadedIntake(options, maxChunkBytes, {
    program: 'naming-thread',
    onAnswer: ({ places = [] }, lengths) => {
      for (const [i, place] of places.entries()) if (place !== undefined) onto?.placed(place, lengths[i] as number)
    }
  })
}
