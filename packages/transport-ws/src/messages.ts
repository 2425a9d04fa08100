/**
 * What a source yields, as messages: none empty, none above a limit, small pieces joined, large ones uncopied.
 *
 * @module
 */
import type { Bytes } from '@ropewalk/interface'
import { isUint8ArrayList } from 'uint8arraylist'

/** Cuts one item into messages of at most `maxBytes`. Takes time linear in its bytes and pieces. */
export function * messages (item: Bytes, maxBytes: number): Generator<Uint8Array, void, undefined> {
  if (item instanceof Uint8Array) {
    yield * slices(item, maxBytes)
    return
  }

  if (!isUint8ArrayList(item)) throw new TypeError('a sink takes Uint8Array and Uint8ArrayList')
  if (item.byteLength <= maxBytes) {
    // One buffer comes back as it is; several are joined, which costs less than a message each.
    if (item.byteLength > 0) yield item.subarray()
    return
  }

  let joined: Uint8Array | undefined
  let used = 0
  let left = item.byteLength

  for (let bytes of item) {
    left -= bytes.length
    if (bytes.length * 2 >= maxBytes) {
      if (joined != null) yield joined.subarray(0, used)
      joined = undefined
      yield * slices(bytes, maxBytes)
      continue
    }

    while (bytes.length > 0) {
      if (joined == null) {
        joined = new Uint8Array(Math.min(maxBytes, bytes.length + left))
        used = 0
      }
      const taken = bytes.subarray(0, joined.length - used)
      joined.set(taken, used)
      used += taken.length
      bytes = bytes.subarray(taken.length)
      if (used < joined.length) continue
      yield joined
      joined = undefined
    }
  }

  if (joined != null) yield joined.subarray(0, used)
}

function * slices (bytes: Uint8Array, maxBytes: number): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += maxBytes) yield bytes.subarray(at, at + maxBytes)
}
