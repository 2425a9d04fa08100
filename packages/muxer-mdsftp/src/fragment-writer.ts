import type { Outgoing } from '@ropewalk/mux'
import { FRAGMENT_PREFIX_BYTES, HEADER_BYTES } from './constants.ts'
import { writeFragmentHeader } from './packet-codec.ts'

/** One FileChunk into the batch, its content in pieces that are not copied unless they are small. */
export function writeFragment (out: Outgoing, channel: number, last: boolean, number: number, content: Uint8Array[], contentBytes: number): void {
  const at = out.reserve(HEADER_BYTES + FRAGMENT_PREFIX_BYTES)
  writeFragmentHeader(out.slab, at, channel, last, number, contentBytes)
  out.content(content)
}
