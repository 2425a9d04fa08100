/** Every way to cut `bytes` in two, the empty halves included: `length + 1` pairs. Nothing is copied. */
export function * cuts (bytes: Uint8Array): Generator<[Uint8Array, Uint8Array]> {
  for (let at = 0; at <= bytes.byteLength; at++) yield [bytes.subarray(0, at), bytes.subarray(at)]
}

/** `bytes` as arrays of one byte. */
export function oneByOne (bytes: Uint8Array): Generator<Uint8Array> {
  return chopped(bytes, [1])
}

/** `bytes` as arrays of the given sizes, taken in turn over and over; the last may be shorter. A size of 0 gives an empty array. */
export function * chopped (bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  if (!sizes.some(size => size > 0) || sizes.some(size => size < 0 || !Number.isInteger(size))) {
    throw new RangeError(`sizes must be whole and one of them above 0: ${sizes.join()}`)
  }
  for (let at = 0, turn = 0; at < bytes.byteLength; turn++) {
    const size = sizes[turn % sizes.length] as number
    yield bytes.subarray(at, at + size)
    at += size
  }
}
