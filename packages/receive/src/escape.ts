import { MAX_SHOWN_CHARACTERS } from './constants.ts'

/**
 * A name as it can be shown in a terminal, a log or a prompt: nothing in it can move the cursor, change the direction of
 * the text, ring, hide or begin a line. What was escaped can be told from what was there: a backslash is doubled.
 * Names longer than `maxCharacters` lose their middle, and say so.
 */
export function escapeName (name: string, maxCharacters: number = MAX_SHOWN_CHARACTERS): string {
  if (name.length <= maxCharacters && PLAIN.test(name)) return name
  const characters = Array.from(name.slice(0, EXAMINED), escapeCharacter)
  if (name.length <= EXAMINED && characters.length <= maxCharacters) return characters.join('')

  const half = maxCharacters >> 1
  const tail = Array.from(name.slice(-2 * half), escapeCharacter).slice(-half)
  const head = characters.slice(0, half)
  return `${head.join('')}…[${name.length} characters]…${tail.join('')}`
}

function escapeCharacter (character: string): string {
  if (character === '\\') return '\\\\'
  if (!UNSAFE.test(character)) return character
  const code = character.codePointAt(0) as number
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`
  return `\\u{${code.toString(16)}}`
}

/**
 * Control characters (C0, DEL, C1), format characters (bidi overrides and isolates, zero-width, tags), half surrogate
 * pairs, private and unassigned ones, line and paragraph separators.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u

/** Printable ASCII, without the backslash: most names. */
const PLAIN = /^[ -[\]-~]*$/

/** Of a longer name only the ends are looked at. */
const EXAMINED = 16_384
