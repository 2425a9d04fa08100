/**
 * cslq: values in the order of a pattern, nothing about types on the wire, everything big-endian. Pure.
 *
 * @module
 */
import { IDENTITY_BYTES, MAX_ARRAY_ITEMS } from './constants.ts'
import { WarpdriveError } from './errors.ts'

/** `c`, `s`, `l` are numbers, `q` a bigint, arrays of `c` bytes (a string is taken as its UTF-8), other arrays and `{}` arrays. */
export type CslqValue = number | bigint | string | Uint8Array | readonly CslqValue[]

type Type =
  | { readonly kind: 'integer', readonly bytes: 1 | 2 | 4 | 8 }
  | { readonly kind: 'fixed', readonly count: number, readonly item: Type }
  | { readonly kind: 'counted', readonly prefix: 1 | 2 | 4 | 8, readonly item: Type }
  | { readonly kind: 'struct', readonly items: readonly Type[] }
  | { readonly kind: 'literal', readonly value: number }
  | { readonly kind: 'constant', readonly items: readonly Type[] }

const WIDTHS: Readonly<Record<string, 1 | 2 | 4 | 8>> = { c: 1, s: 2, l: 4, q: 8 }
const encoder = new TextEncoder()

/** The bytes of `values`. Where the original lets a count wrap, this throws RangeError: `256 > 255 elements`. */
export function encodeCslq (pattern: string, ...values: CslqValue[]): Uint8Array {
  const out: number[] = []
  const left = [...values]
  for (const type of parse(pattern)) put(type, left, out)
  if (left.length > 0) throw new RangeError(`${values.length} values are ${left.length} too many for '${pattern}'`)
  return Uint8Array.from(out)
}

/** The values at `start`, and where they end. `ERR_TRUNCATED` when there are too few bytes, `ERR_CONSTANT` at a literal that is another. */
export function decodeCslq (pattern: string, bytes: Uint8Array, start = 0): { readonly values: CslqValue[], readonly end: number } {
  const cursor = { bytes, at: start }
  const values: CslqValue[] = []
  for (const type of parse(pattern)) take(type, cursor, values)
  return { values, end: cursor.at }
}

function parse (pattern: string): Type[] {
  const text = pattern.replace(/[ \t\n]/g, '')
  let at = 0
  const fail = (): never => { throw new TypeError(`not a cslq pattern: '${pattern}', at ${at}`) }

  function many (closer: string): Type[] {
    const types: Type[] = []
    while (at < text.length && text[at] !== closer) types.push(one())
    if (closer !== '' && text[at++] !== closer) fail()
    return types
  }

  function one (): Type {
    const sign = text[at++] as string
    const bytes = WIDTHS[sign]
    if (bytes !== undefined) return { kind: 'integer', bytes }
    if (sign === 'v') return { kind: 'fixed', count: IDENTITY_BYTES, item: { kind: 'integer', bytes: 1 } }
    if (sign === '{') return { kind: 'struct', items: many('}') }
    if (sign === '<') return { kind: 'constant', items: many('>') }
    if (sign === 'x') {
      const hex = text.slice(at, at + 2)
      if (!/^[0-9a-f]{2}$/i.test(hex)) fail()
      at += 2
      return { kind: 'literal', value: Number.parseInt(hex, 16) }
    }
    const [whole = '', count = ''] = sign === '[' ? /^(\d+|[cslq])\]/.exec(text.slice(at)) ?? [] : []
    if (whole === '' || count === '0') fail()
    at += whole.length
    if (at >= text.length) fail()
    const prefix = WIDTHS[count]
    return prefix === undefined ? { kind: 'fixed', count: Number(count), item: one() } : { kind: 'counted', prefix, item: one() }
  }

  return many('')
}

function put (type: Type, values: CslqValue[], out: number[]): void {
  if (type.kind === 'literal') return void out.push(type.value)
  // A constant is written from the value, as the original does; what it must be is the reader's business.
  if (type.kind === 'constant') {
    for (const item of type.items) put(item, values, out)
    return
  }
  const value = values.shift()
  if (value === undefined) throw new RangeError('too few values for the pattern')
  if (type.kind === 'integer') return putInteger(value, type.bytes, out)
  if (type.kind === 'struct') {
    const members = [...list(value)]
    for (const item of type.items) put(item, members, out)
    return
  }
  const items = list(value)
  if (type.kind === 'fixed' && items.length !== type.count) throw new RangeError(`${items.length} != ${type.count} elements`)
  if (type.kind === 'counted') {
    const most = type.prefix >= 4 ? MAX_ARRAY_ITEMS : Math.min(MAX_ARRAY_ITEMS, 256 ** type.prefix - 1)
    if (items.length > most) throw new RangeError(`${items.length} > ${most} elements`)
    putInteger(items.length, type.prefix, out)
  }
  for (const item of items) put(type.item, [item], out)
}

function list (value: CslqValue): ArrayLike<CslqValue> & Iterable<CslqValue> {
  if (typeof value === 'string') return encoder.encode(value)
  if (typeof value === 'object') return value
  throw new TypeError(`an array is wanted, not ${typeof value}`)
}

/** Low bits win, and what is negative becomes its two's complement, as in the original. */
function putInteger (value: CslqValue, bytes: number, out: number[]): void {
  if (typeof value !== 'number' && typeof value !== 'bigint') throw new TypeError(`an integer is wanted, not ${typeof value}`)
  let rest = BigInt.asUintN(bytes * 8, BigInt(value))
  const at = out.length
  for (let i = bytes - 1; i >= 0; i--, rest >>= 8n) out[at + i] = Number(rest & 0xffn)
}

interface Cursor { readonly bytes: Uint8Array, at: number }

function take (type: Type, cursor: Cursor, out: CslqValue[]): void {
  switch (type.kind) {
    case 'integer':
      out.push(takeInteger(cursor, type.bytes))
      break
    case 'literal': {
      const found = Number(takeInteger(cursor, 1))
      if (found !== type.value) throw new WarpdriveError('ERR_CONSTANT', `byte 0x${found.toString(16)} != 0x${type.value.toString(16)}`)
      break
    }
    case 'constant':
      for (const item of type.items) take(item, cursor, out)
      break
    case 'struct': {
      const members: CslqValue[] = []
      for (const item of type.items) take(item, cursor, members)
      out.push(members)
      break
    }
    default: {
      const count = type.kind === 'fixed' ? type.count : Number(takeInteger(cursor, type.prefix))
      if (count > MAX_ARRAY_ITEMS) throw new WarpdriveError('ERR_TOO_LARGE', `cslq array: ${count} > ${MAX_ARRAY_ITEMS} elements`)
      if (type.item.kind === 'integer' && type.item.bytes === 1) {
        need(cursor, count)
        out.push(cursor.bytes.slice(cursor.at, cursor.at += count))
      } else {
        const items: CslqValue[] = []
        for (let i = 0; i < count; i++) take(type.item, cursor, items)
        out.push(items)
      }
    }
  }
}

function takeInteger (cursor: Cursor, bytes: 1 | 2 | 4 | 8): number | bigint {
  need(cursor, bytes)
  let value = 0n
  for (let i = 0; i < bytes; i++) value = value << 8n | BigInt(cursor.bytes[cursor.at++] as number)
  return bytes === 8 ? value : Number(value)
}

function need (cursor: Cursor, bytes: number): void {
  const left = cursor.bytes.length - cursor.at
  if (left < bytes) throw new WarpdriveError('ERR_TRUNCATED', `stream ended inside a value: ${left} < ${bytes} bytes`)
}
