/**
 * Codes as people read, say and type them: `31-k7wq-m2x9`. The digits in front are no secret: they tell two nodes apart that have codes out. Pure.
 *
 * @module
 */
import { ALPHABET, PLATES, SECRET_CHARACTERS } from './constants.ts'
import { PairError } from './errors.ts'

export interface Code {
  /** 0 to 99. Everybody may know it. */
  readonly plate: number
  /** Eight characters. */
  readonly secret: string
}

/** A code out of `SECRET_CHARACTERS` + 1 random bytes. */
export function codeFrom (random: Uint8Array): Code {
  if (random.length !== SECRET_CHARACTERS + 1) throw new RangeError(`a code is made of ${SECRET_CHARACTERS + 1} bytes, not ${random.length}`)
  const [first = 0, ...rest] = random
  return { plate: first % PLATES, secret: rest.map(byte => ALPHABET[byte & 31] as string).join('') }
}

export function formatCode ({ plate, secret }: Code): string {
  return `${String(plate).padStart(2, '0')}-${secret.slice(0, 4)}-${secret.slice(4)}`
}

/** Reads a code with or without dashes, in either case, and with the letters that are mistaken for digits. `ERR_BAD_CODE` otherwise. */
export function parseCode (text: string): Code {
  const plain = text.toLowerCase().replace(/[\s-]/g, '').replaceAll('o', '0').replace(/[il]/g, '1')
  const parts = /^(\d\d)([0-9a-hjkmnp-tv-z]{8})$/.exec(plain)
  // The text is a secret: it is not repeated.
  if (parts === null) throw new PairError('ERR_BAD_CODE', `a code looks like 31-k7wq-m2x9: two digits and ${SECRET_CHARACTERS} letters or digits`, { remote: false })
  return { plate: Number(parts[1]), secret: parts[2] as string }
}
