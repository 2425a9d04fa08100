import type { AbortOptions, Bytes, Source, TreeKept, TreeMark } from '@ropewalk/interface'
import { ArchiveDecoder, type ArchiveDecoderOptions, type ArchivePart } from './archive-decoder-codec.ts'

export interface ResumableArchiveOptions extends Pick<ArchiveDecoderOptions, 'maxOpenNames'>, AbortOptions {}

/** An archive that is read in several goes, by one process after another. */
export interface ResumableArchive {
  /** Bytes of the archive that were read: where to go on. */
  readonly position: number
  /** Goes through what was read before, as its marks have it, each whole. What they say is said again, of content only how much there was. `ERR_ARCHIVE` or RangeError for what is no trace. */
  retrace (traces: Source<Uint8Array>): AsyncGenerator<ArchivePart | TreeKept, void, undefined>
  /** What the bytes from `position` on say, of each piece together and with a mark behind it. Data are views of the piece, and nothing else is: it may be used again when the next is asked for. */
  read (source: Source<Bytes>): AsyncGenerator<ReadonlyArray<ArchivePart | TreeMark>, void, undefined>
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
          const parts: Array<ArchivePart | TreeMark> = decoder.push(piece)
          parts.push({ kind: 'mark', trace: decoder.takeTrace() })
          yield parts
        }
      }
      decoder.end()
    }
  }
}
