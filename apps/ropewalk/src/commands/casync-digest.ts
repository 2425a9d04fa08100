import { createHash } from 'node:crypto'
import type { ChunkDigest } from '@ropewalk/interface'
import { escapeName } from '@ropewalk/receive'
import { fileContent, indexContent, named } from '../casync/content.ts'
import type { StoreFlags } from '../casync/input.ts'
import { kindOf, type Kind } from '../casync/kind.ts'
import { withPhases } from '../casync/outcome.ts'
import { featuresOf, folderBytes, type TreeFlags } from '../casync/trees.ts'
import type { Context } from '../context.ts'
import { Exit } from '../exit-codes.ts'
import { formatBytes } from '../format.ts'
import { HASHES } from './casync-make.ts'

export interface DigestFlags extends StoreFlags, TreeFlags {
  readonly what?: Kind | undefined
  readonly digest: ChunkDigest
  readonly json: boolean
}

/** Prints the digest of a blob or an archive, from itself or through its index, or of the archive that a folder would be. */
export async function casyncDigest (context: Context, name: string, flags: DigestFlags): Promise<Exit> {
  const kind = name === '-' ? 'blob' : await kindOf(name, flags.what)
  return await withPhases(context, flags, async phases => {
    const reading = phases.begin('reading')
    const indexed = kind === 'blob-index' || kind === 'archive-index'
    await using content = indexed ? await indexContent(context, name, flags, phases.trouble, reading) : undefined
    const bytes = content?.bytes ?? (kind === 'directory' ? folderBytes(context, name, featuresOf(flags, flags.digest), flags, phases, reading) : (await fileContent(context, name, reading)).bytes)
    const digest = content?.header.digest ?? flags.digest
    const hash = createHash(HASHES[digest])
    let size = 0
    try {
      for await (const piece of bytes) {
        hash.update(piece)
        size += piece.length
      }
    } catch (error) {
      throw named(error, context)
    }
    reading.end()
    const hex = hash.digest('hex')
    phases.result({ record: { event: 'digest', name, algorithm: digest, digest: hex, size }, row: [hex], lines: [hex, `  ${escapeName(name)}: ${formatBytes(size)}, ${digest}`] })
    return Exit.done
  })
}
