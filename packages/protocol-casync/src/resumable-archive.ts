import type { AbortOptions, Bytes, Source, TreeKept, TreeMark } from '@ropewalk/interface'
import { ArchiveDecoder, type ArchiveDecoderOptions, type ArchivePart } from './archive-decoder-codec.ts'

export interface ResumableArchiveOptions extends Pick<ArchiveDecoderOptions, 'maxOpenNames'>, AbortOptions {}

/** An archive that is read in several goes, by one process after another. */
export interface ResumableArchive {
  /** Bytes of the archive that were read: where to go on. */
  readonly position: number
  /** Goes through what was read before, as its marks have it, each whole. What they say is said again, of content only how much there was. `ERR_ARCHIVE` or RangeError for what is no trace. */
  retrace (traces: Source<Uint8Array>): AsyncGenerator<ArchivePart | TreeKept, void, undefined>
  /** What the bytes from `position` on say, with a mark behind each piece of them. */
  read (source: Source<Bytes>): AsyncGenerator<ArchivePart | TreeMark, void, undefined>
}

/** Like `decodeArchive`, for whoever may be killed and wants to go on where he was. */
export function resumableArchive ({ maxOpenNames, signal }: ResumableArchiveOptions = {}): ResumableArchive {
  const decoder = new ArchiveDecoder({ maxOpenNames, trace: true })
  return {
    get position () {
      return decoder.position
    },
    async * retrace (traces) {
      for await (const trace of traces) {
        signal?.throwIfAborted()
        yield * decoder.retrace(trace)
      }
    },
    async * read (source) {
      for await (const bytes of source) {
        signal?.throwIfAborted()
        for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) {
          yield * decoder.push(piece)
          yield { kind: 'mark', trace: decoder.takeTrace() }
        }
      }
      decoder.end()
    }
  }
}
