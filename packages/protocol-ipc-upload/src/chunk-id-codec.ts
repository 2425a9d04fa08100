/** Names of blocks: a UUID of version 5, or a count. Pure, but for the hash that is given. */
import { formatUuid, parseUuid } from '@ropewalk/framing'

const UUID_BYTES = 16

/** The id of block `index` of file `file` in the transfer `fid`. From the specification, section 4, row 5. */
export function chunkId (fid: string, file: number, index: number, sha1: (bytes: Uint8Array) => Uint8Array): string {
  const name = new TextEncoder().encode(`${file}/${index}`)
  const input = new Uint8Array(UUID_BYTES + name.length)
  input.set(parseUuid(fid))
  input.set(name, UUID_BYTES)
  const id = sha1(input).slice(0, UUID_BYTES)
  id[6] = (id[6] as number) & 0x0f | 0x50
  id[8] = (id[8] as number) & 0x3f | 0x80
  return formatUuid(id)
}

export function isUuid (text: string): boolean {
  return /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i.test(text)
}

export function isDigest (text: string): boolean {
  return /^[\da-f]{64}$/.test(text)
}
