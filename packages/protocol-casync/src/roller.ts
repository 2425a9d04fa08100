/**
 * The loop of the rolling hash as WebAssembly, which runs it three times as fast as JavaScript does. The module is put together here, byte by byte:
 *
 *     memory:  0 table of what enters, 1024 table of what leaves, 2048 the hash, 4096 the bytes: 48 that were seen, then those to look at
 *
 *     roll(at, stop, inverse, shift, limit, value) → where the chunk ends, or 0; the hash is read from the memory and left there
 *
 * Nothing but arithmetic: no imports, no growth. Where WebAssembly may not be compiled there is no roller, and the loop is done in JavaScript.
 *
 * @module
 */
import { BUZHASH_TABLE } from './buzhash-table.ts'
import { WINDOW_BYTES } from './constants.ts'

export interface Roller {
  /** Looks at the `length` bytes behind the first 48, which were seen last. Where the chunk ends among them, one past its last byte; or -1. */
  roll (hash: number, divisor: { readonly value: number, readonly inverse: number, readonly shift: number, readonly limit: number }, length: number): number
  /** Where they are put before: 48, and up to `ROLL_BYTES`. */
  readonly bytes: Uint8Array
  /** The hash after `roll`, when it found nothing. */
  readonly hash: number
}

/** Bytes that are looked at in one call. Ours: what is copied in vain, when a chunk ends early, is half of it. */
export const ROLL_BYTES: number = 16 * 1024

/**
 * One for all odd divisors, which have no shift, and one for the others: nothing stays in it from call to call. `undefined` where WebAssembly is missing or
 * forbidden.
 */
export function roller (shifts: boolean): Roller | undefined {
  let one = made.get(shifts)
  if (one === undefined) made.set(shifts, one = { roller: makeRoller(shifts) })
  return one.roller
}

const made = new Map<boolean, { readonly roller: Roller | undefined }>()

const LEAVING_AT = 1024
const HASH_AT = 2048
const BYTES_AT = 4096
const UNROLLED = 4

function makeRoller (shifts: boolean): Roller | undefined {
  const { WebAssembly } = globalThis as { WebAssembly?: Assembly }
  const bytes = assemble(shifts)
  let exports: RollerExports
  try {
    if (WebAssembly === undefined) return undefined
    exports = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports
  } catch {
    return undefined
  }
  const { memory, roll } = exports
  const view = new DataView(memory.buffer)
  for (const [i, word] of BUZHASH_TABLE.entries()) {
    view.setUint32(4 * i, word >>> 0, true)
    view.setUint32(LEAVING_AT + 4 * i, (word << 16 | word >>> 16) >>> 0, true)
  }
  const first = BYTES_AT + WINDOW_BYTES
  return {
    bytes: new Uint8Array(memory.buffer, BYTES_AT, WINDOW_BYTES + ROLL_BYTES),
    roll (hash, { value, inverse, shift, limit }, length) {
      view.setInt32(HASH_AT, hash, true)
      const end = roll(first, first + length, inverse, shift, limit, value)
      return end === 0 ? -1 : end - first
    },
    get hash () {
      return view.getInt32(HASH_AT, true)
    }
  }
}

/** The part of WebAssembly that it takes, which has no type where there is no browser and no Node. */
interface Assembly {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: RollerExports }
}

interface RollerExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly roll: (at: number, stop: number, inverse: number, shift: number, limit: number, value: number) => number
}

/** The few instructions that it takes. */
const OP = {
  block: 0x02, loop: 0x03, if: 0x04, end: 0x0b, br: 0x0c, brIf: 0x0d, return: 0x0f, get: 0x20, set: 0x21, tee: 0x22, load: 0x28, load8: 0x2d, store: 0x36, constant: 0x41,
  eq: 0x46, geU: 0x4f, gtU: 0x4b, leU: 0x4d, add: 0x6a, sub: 0x6b, mul: 0x6c, remU: 0x70, xor: 0x73, shl: 0x74, rotl: 0x77, rotr: 0x78
} as const
const VOID = 0x40
const I32 = 0x7f

/** Parameters, then what is local. */
const AT = 0
const STOP = 1
const INVERSE = 2
const SHIFT = 3
const LIMIT = 4
const VALUE = 5
const HASH = 6

function assemble (shifts: boolean): Uint8Array<ArrayBuffer> {
  const body = [
    1, 1, I32,
    OP.constant, ...signed(0), OP.load, 2, ...unsigned(HASH_AT), OP.set, HASH,
    // By fours as long as there are so many, then one by one.
    OP.block, VOID, OP.loop, VOID,
    OP.get, AT, OP.constant, ...signed(UNROLLED), OP.add, OP.get, STOP, OP.gtU, OP.brIf, 1,
    ...Array.from({ length: UNROLLED }, (_, i) => step(i, shifts)).flat(),
    OP.get, AT, OP.constant, ...signed(UNROLLED), OP.add, OP.set, AT, OP.br, 0, OP.end, OP.end,
    OP.block, VOID, OP.loop, VOID,
    OP.get, AT, OP.get, STOP, OP.geU, OP.brIf, 1,
    ...step(0, shifts),
    OP.get, AT, OP.constant, ...signed(1), OP.add, OP.set, AT, OP.br, 0, OP.end, OP.end,
    OP.constant, ...signed(0), OP.get, HASH, OP.store, 2, ...unsigned(HASH_AT),
    OP.constant, ...signed(0), OP.end
  ]
  return Uint8Array.from([
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
    ...section(1, [1, 0x60, 6, I32, I32, I32, I32, I32, I32, 1, I32]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0x01, 1, 1]),
    ...section(7, [2, ...name('memory'), 2, 0, ...name('roll'), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body])
  ])
}

/** Takes in the byte at `AT + offset`, and returns what is behind it when the chunk ends there. The hash waits for two operations of each, and for nothing that is loaded. */
function step (offset: number, shifts: boolean): number[] {
  return [
    OP.get, HASH, OP.constant, ...signed(1), OP.rotl,
    OP.get, AT, OP.constant, ...signed(WINDOW_BYTES), OP.sub, OP.load8, 0, ...unsigned(offset), OP.constant, ...signed(2), OP.shl, OP.load, 2, ...unsigned(LEAVING_AT),
    OP.get, AT, OP.load8, 0, ...unsigned(offset), OP.constant, ...signed(2), OP.shl, OP.load, 2, ...unsigned(0), OP.xor, OP.xor,
    OP.tee, HASH, OP.constant, ...signed(1), OP.add, OP.get, INVERSE, OP.mul, ...shifts ? [OP.get, SHIFT, OP.rotr] : [], OP.get, LIMIT, OP.leU,
    OP.if, VOID,
    // The rule itself: the fast test takes the highest hash for a multiple of everything.
    OP.get, HASH, OP.get, VALUE, OP.remU, OP.get, VALUE, OP.constant, ...signed(1), OP.sub, OP.eq,
    OP.if, VOID, OP.get, AT, OP.constant, ...signed(offset + 1), OP.add, OP.return, OP.end,
    OP.end
  ]
}

function section (id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content]
}

function name (text: string): number[] {
  return [text.length, ...Array.from(text, character => character.charCodeAt(0))]
}

/** LEB128, as WebAssembly has its numbers. */
function unsigned (value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

function signed (value: number): number[] {
  const last = value >= -0x40 && value < 0x40
  return last ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)]
}
