/**
 * What a setting may be: how a file writes it, how the environment does, and what is said when it is something else.
 *
 * @module
 */
import * as v from 'valibot'
import { parseDigest, parseDuration, parseOrigin, parseSize } from '../arguments.ts'
import { parseLevels } from '../observe/log-levels.ts'
import { parseRate } from '../limits/rate.ts'

export interface Kind {
  /** Completes "expected …". */
  readonly expected: string
  /** Of the value in a file, and of what `words` makes of a text. */
  readonly schema: v.GenericSchema<unknown, unknown>
  /** A text of the environment, as a file would have it. Default: the text itself. */
  readonly words?: ((text: string) => unknown) | undefined
  /** Names a file or folder, relative to the file that says so. */
  readonly path?: true
}

/** Longest text, and longest list. Ours. */
const MAX_TEXT = 4096
const MAX_LIST = 1024

/** Longest time that somebody is waited for. Ours. */
const MAX_WAIT_MS = 86_400_000

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_TEXT))

export const TEXT: Kind = { expected: 'a text', schema: text }

export const PATH: Kind = { expected: 'a path', schema: text, path: true }

export const TEXTS: Kind = { expected: 'a list of texts, as in ["a", "b"]', schema: v.pipe(v.array(text), v.maxLength(MAX_LIST)), words: listOf }

export const KEYS: Kind = { expected: 'a list of keys, each sha256= and 64 hex digits', schema: v.pipe(v.array(v.pipe(text, parsed(parseDigest))), v.maxLength(MAX_LIST)), words: listOf }

export const ORIGINS: Kind = { expected: 'a list of origins of web pages, as in ["https://example.org"]', schema: v.pipe(v.array(v.pipe(text, parsed(parseOrigin))), v.maxLength(MAX_LIST)), words: listOf }

export const SWITCH: Kind = { expected: 'true or false', schema: v.boolean(), words: text => ({ true: true, false: false } as Record<string, boolean>)[text] ?? text }

export const SIZE: Kind = { expected: 'a number of bytes, or a size as "20G"', schema: v.union([v.pipe(v.number(), v.safeInteger(), v.minValue(0)), v.pipe(text, parsed(parseSize))]) }

export const RATE: Kind = { expected: 'bytes a second as "2M", "off", or a timetable as "08:00,512k 19:00,off"', schema: v.pipe(text, v.check(succeeds(parseRate))) }

/** How long somebody is waited for. */
export const WAIT: Kind = { expected: 'a time up to a day, as "90s" or "15m"', schema: v.pipe(text, v.check(succeeds(parseWait))) }

export const LEVELS: Kind = { expected: 'a level of the log as "info", or levels as "info,mdsftp=debug"', schema: v.pipe(text, v.check(succeeds(parseLevels))) }

/** A whole number from `least` to `most`. */
export function count (least: number, most: number): Kind {
  return { expected: `a whole number from ${least} to ${most}`, schema: v.pipe(v.number(), v.safeInteger(), v.minValue(least), v.maxValue(most)), words: text => /^\d+$/.test(text) ? Number(text) : text }
}

export function oneOf (...names: readonly [string, ...string[]]): Kind {
  return { expected: names.map(name => `"${name}"`).join(' or '), schema: v.picklist(names) }
}

function parsed<T> (parse: (text: string) => T): v.RawTransformAction<string, T> {
  return v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
    try {
      return parse(dataset.value)
    } catch (error) {
      addIssue({ message: (error as Error).message })
      return NEVER
    }
  })
}

function succeeds (parse: (text: string) => unknown): (text: string) => boolean {
  return text => {
    try {
      parse(text)
      return true
    } catch {
      return false
    }
  }
}

function parseWait (text: string): void {
  const ms = parseDuration(text)
  if (ms > MAX_WAIT_MS) throw new RangeError(`${ms} > ${MAX_WAIT_MS} ms`)
}

function listOf (text: string): string[] {
  return text.split(',').map(word => word.trim()).filter(word => word !== '')
}
