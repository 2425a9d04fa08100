import { readFileSync } from 'node:fs'

export interface ChunkerVector {
  readonly input: string
  readonly size: number
  readonly input_digest: string
  readonly chunk_size: string | null
  readonly digest: 'sha512-256' | 'sha256'
  readonly error?: string
  readonly discriminator: number
  readonly flags: string
  readonly min: number
  readonly avg: number
  readonly max: number
  readonly chunks: ReadonlyArray<readonly [offset: number, size: number, id: string]>
}

/** Written down by the original. */
export const CHUNKER_VECTORS: readonly ChunkerVector[] = JSON.parse(readFileSync(new URL('../../../fixtures/casync/chunker.json', import.meta.url), 'utf8')).vectors
