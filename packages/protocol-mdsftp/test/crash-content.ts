/** What is uploaded in the tests of crashes: of each length one content, of which every piece differs from the others. */
export function * crashContent (size: number, from = 0): Generator<Uint8Array> {
  for (let begin = from; begin < size; begin += PIECE) {
    const piece = new Uint8Array(Math.min(PIECE, size - begin))
    for (let index = 0; index < piece.length; index++) piece[index] = crashByte(begin + index, size)
    yield piece
  }
}

/** Whether `bytes` are the content of that size from `begin` on. */
export function isCrashContent (bytes: Uint8Array, begin: number, size: number): boolean {
  return bytes.every((byte, index) => byte === crashByte(begin + index, size))
}

const PIECE = 20_000

function crashByte (at: number, size: number): number {
  return (at * 31 + (at >>> 8) * 7 + size) & 0xff
}
