/**
 * What stands on the command line, checked. Everything throws `ERR_USAGE` or `ERR_BAD_ID`.
 *
 * @module
 */
import { formatUuid, fromHex } from '@ropewalk/framing'
import { RopewalkError } from './errors.ts'

/** Transfers at once, at most: the wire allows 1024 channels on a connection. Ours. */
export const MAX_CONCURRENCY = 256

/** Life of a certificate: a hundred years. Ours. */
export const MAX_DAYS = 36_500

/** Seconds that attempts may bring nothing new, unless somebody says otherwise, and at most: a day. Ours. */
export const RETRY_SECONDS = 300
export const MAX_SECONDS = 86_400

/** Bytes from `start` to `end` − 1; without `end`, to the last. */
export interface Span {
  readonly start: number
  readonly end: number | undefined
}

/** An id of an object as 32 hex digits, from the text of a UUID or those digits. */
export function parseId (text: string): string {
  const lower = text.toLowerCase()
  if (!/^([\da-f]{32}|[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12})$/.test(lower)) {
    throw new RopewalkError('ERR_BAD_ID', 'an id is a UUID or 32 hex digits', { text, at: Math.max(0, lower.search(/[^\da-f-]/)) })
  }
  return lower.replaceAll('-', '')
}

/** An id as the text of a UUID. */
export function formatId (id: string): string {
  return formatUuid(fromHex(id))
}

/** `A-B`: bytes A to B − 1, as everywhere here; `A-`: from A to the end. */
export function parseRange (text: string): Span {
  const parts = /^(\d+)-(\d*)$/.exec(text)
  if (parts === null) throw usage('a range is A-B, or A- for the rest: bytes A up to, but without, B', text)
  const start = safe(parts[1] as string, text)
  const end = parts[2] === '' ? undefined : safe(parts[2] as string, text)
  if (end !== undefined && end <= start) throw usage(`the range ends at ${end} <= ${start}, where it begins: B itself is not part of it`, text)
  return { start, end }
}

/** `500`, `64K`, `1.5G`: powers of 1024. */
export function parseSize (text: string): number {
  const parts = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$/i.exec(text)
  if (parts === null) throw usage('a size is a number of bytes, or with K, M, G or T', text)
  const power = ['', 'K', 'M', 'G', 'T'].indexOf((parts[2] as string).toUpperCase())
  const bytes = Math.floor(Number(parts[1]) * 1024 ** power)
  if (!Number.isSafeInteger(bytes)) throw usage('the size is too large', text)
  return bytes
}

/** `https://example.org`, as a browser says where a page is from. */
export function parseOrigin (text: string): string {
  const url = URL.parse(text)
  if (url === null || url.origin !== text || !/^https?:$/.test(url.protocol)) throw usage('an origin is https://HOST or http://HOST, with :PORT where that is not the usual one, and nothing behind it', text)
  return text
}

/** `90s`, `15m`, `12h`, `7d`, in milliseconds. */
export function parseDuration (text: string): number {
  const parts = /^(\d{1,9})([smhd])$/.exec(text)
  if (parts === null) throw usage('a time is a number with s, m, h or d behind it: 90s, 15m, 12h, 7d', text)
  const ms = Number(parts[1]) * (UNIT_MS[parts[2] as string] as number)
  if (ms === 0) throw usage('a time of nothing', text)
  return ms
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export function parseConcurrency (text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || value > MAX_CONCURRENCY) throw usage(`a number from 1 to ${MAX_CONCURRENCY}`, text)
  return value
}

/** A number of things. */
export function parseCount (text: string): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) === 0) throw usage('a number from 1 on', text)
  return Number(text)
}

/** Days that a certificate is good for. */
export function parseDays (text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || value > MAX_DAYS) throw usage(`a number of days from 1 to ${MAX_DAYS}`, text)
  return value
}

/** Seconds of patience. */
export function parseSeconds (text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value > MAX_SECONDS) throw usage(`a number of seconds from 0 to ${MAX_SECONDS}`, text)
  return value
}

/** SHA-256 as 64 hex digits, with or without `sha256=` before them. */
export function parseDigest (text: string): string {
  const digits = text.toLowerCase().replace(/^sha256[=:]/, '')
  if (!/^[\da-f]{64}$/.test(digits)) throw usage('a SHA-256 has 64 hex digits', text)
  return digits
}

function safe (digits: string, text: string): number {
  const value = Number(digits)
  if (!Number.isSafeInteger(value)) throw usage(`${digits} > ${Number.MAX_SAFE_INTEGER}`, text)
  return value
}

function usage (message: string, text: string): RopewalkError {
  return new RopewalkError('ERR_USAGE', message, { text })
}

/** Refuses what was said without what it is for. `flags` says of each what it was given, if it was; `why` follows its name. */
export function refuseAlone (flags: Readonly<Record<string, unknown>>, why: string): void {
  const said = Object.keys(flags).find(flag => flags[flag] !== undefined && flags[flag] !== false)
  if (said !== undefined) throw new RopewalkError('ERR_USAGE', `${said} ${why}`)
}
