/** A hash as two halves, unsigned. */
export type Hash64 = readonly [high: number, low: number]

/**
 * SipHash-2-4 under the key that archives use, of the names in a folder. Each 64-bit word is two halves, which is a good deal faster than
 * a bigint.
 */
export function sipHash (bytes: Uint8Array): Hash64 {
  const s = Int32Array.from(START)
  const whole = bytes.length & ~7
  for (let at = 0; at < whole; at += 8) absorb(s, word(bytes, at + 4), word(bytes, at))
  const last = new Uint8Array(8)
  last.set(bytes.subarray(whole))
  last[7] = bytes.length
  absorb(s, word(last, 4), word(last, 0))
  s[5] = (s[5] as number) ^ 0xff
  for (let i = 0; i < 4; i++) round(s)
  const high = (s[0] as number) ^ (s[2] as number) ^ (s[4] as number) ^ (s[6] as number)
  const low = (s[1] as number) ^ (s[3] as number) ^ (s[5] as number) ^ (s[7] as number)
  return [high >>> 0, low >>> 0]
}

/** From the specification, section 5.4. */
const KEY = Uint8Array.of(0xb3, 0x84, 0x1d, 0x0f, 0x2b, 0x44, 0x74, 0x85, 0xc1, 0x2e, 0xc2, 0xd1, 0x30, 0xed, 0x36, 0x27)

/** Four words, high half first: the constants of SipHash, each with a half of the key. */
const START = [
  0x736f6d65 ^ word(KEY, 4), 0x70736575 ^ word(KEY, 0), 0x646f7261 ^ word(KEY, 12), 0x6e646f6d ^ word(KEY, 8),
  0x6c796765 ^ word(KEY, 4), 0x6e657261 ^ word(KEY, 0), 0x74656462 ^ word(KEY, 12), 0x79746573 ^ word(KEY, 8)
]

function word (bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | (bytes[at + 1] as number) << 8 | (bytes[at + 2] as number) << 16 | (bytes[at + 3] as number) << 24
}

function absorb (s: Int32Array, high: number, low: number): void {
  s[6] = (s[6] as number) ^ high
  s[7] = (s[7] as number) ^ low
  round(s)
  round(s)
  s[0] = (s[0] as number) ^ high
  s[1] = (s[1] as number) ^ low
}

function round (s: Int32Array): void {
  add(s, 0, 2)
  mix(s, 2, 0, 13)
  turn(s, 0)
  add(s, 4, 6)
  mix(s, 6, 4, 16)
  add(s, 0, 6)
  mix(s, 6, 0, 21)
  add(s, 4, 2)
  mix(s, 2, 4, 17)
  turn(s, 4)
}

function add (s: Int32Array, to: number, from: number): void {
  const low = ((s[to + 1] as number) >>> 0) + ((s[from + 1] as number) >>> 0)
  s[to + 1] = low | 0
  s[to] = (s[to] as number) + (s[from] as number) + (low > 0xffff_ffff ? 1 : 0)
}

/** Turns the word left by less than 32 bits, and mixes the other in. */
function mix (s: Int32Array, to: number, other: number, bits: number): void {
  const high = s[to] as number
  const low = s[to + 1] as number
  s[to] = (high << bits | low >>> 32 - bits) ^ (s[other] as number)
  s[to + 1] = (low << bits | high >>> 32 - bits) ^ (s[other + 1] as number)
}

/** Turns the word by 32 bits. */
function turn (s: Int32Array, at: number): void {
  const high = s[at] as number
  s[at] = s[at + 1] as number
  s[at + 1] = high
}
