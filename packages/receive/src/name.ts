/**
 * Which names a peer may choose. Pure, and the only place that decides: what comes out is what is used for I/O.
 *
 * A name is a relative path with `/` between its components. What is refused is refused on every system, so that a name
 * that passes here is harmless on the next machine too. Nothing is decoded: whoever has percent signs decodes first.
 *
 * @module
 */
import { MAX_COMPONENT_BYTES, MAX_NAME_BYTES, MAX_NAME_DEPTH, STAGING_FOLDER } from './constants.ts'
import { ReceiveError } from './errors.ts'
import { escapeName } from './escape.ts'

/** What a name can break. */
export type NameRule =
  | 'empty'
  | 'too-long'
  | 'too-deep'
  | 'component-too-long'
  | 'nul'
  | 'control'
  | 'surrogate'
  | 'absolute'
  | 'backslash'
  | 'drive'
  | 'empty-component'
  | 'dot'
  | 'dot-dot'
  | 'trailing-dot'
  | 'trailing-space'
  | 'device'
  | 'staging'
  | 'character'

export interface NameOptions {
  /** Refuse also what only Windows refuses: `< > : " | ? *`. */
  portable?: boolean | undefined
}

/** The name in Unicode normal form C, checked. Throws `ERR_NAME` with the rule that it breaks and where. */
export function normaliseName (name: string, { portable = false }: NameOptions = {}): string {
  if (typeof name !== 'string') throw new TypeError(`a name is a string, not ${typeof name}`)
  if (name.length > MAX_NAME_BYTES) throw refuse(name, 'too-long', MAX_NAME_BYTES, `${name.length} > ${MAX_NAME_BYTES} characters`)
  // Most names have nothing but these characters, of which none is refused: what is said of others need not be looked for.
  const plain = PLAIN.test(name)
  const normal = plain ? name : name.normalize('NFC')

  if (normal === '') throw refuse(normal, 'empty', 0)
  if (!plain) checkCharacters(normal, portable)
  if (normal.startsWith('/')) throw refuse(normal, 'absolute', 0)
  const bytes = plain ? normal.length : byteLength(normal)
  if (bytes > MAX_NAME_BYTES) throw refuse(normal, 'too-long', normal.length, `${bytes} > ${MAX_NAME_BYTES} bytes`)

  const components = normal.split('/')
  if (components.length > MAX_NAME_DEPTH) throw refuse(normal, 'too-deep', 0, `${components.length} > ${MAX_NAME_DEPTH} components`)
  let position = 0
  for (const component of components) {
    checkComponent(normal, component, position, plain)
    position += component.length + 1
  }
  if (components[0]?.toLowerCase() === STAGING_FOLDER) throw refuse(normal, 'staging', 0)
  return normal
}

/** The name again with a number, as people expect it: `a/report (2).pdf`. Stays within the limit of a component. */
export function numberedName (name: string, number: number): string {
  const begin = name.lastIndexOf('/') + 1
  const component = name.slice(begin)
  const dot = component.lastIndexOf('.')
  const extension = dot > 0 && component.length - dot <= 16 ? component.slice(dot) : ''
  const ending = ` (${number})${extension}`
  const stem = Array.from(component.slice(0, component.length - extension.length))
  while (byteLength(stem.join('')) + byteLength(ending) > MAX_COMPONENT_BYTES) stem.pop()
  return name.slice(0, begin) + stem.join('') + ending
}

/** Names with the same key are the same file where case does not count. */
export function collisionKey (component: string): string {
  return component.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFC')
}

function checkCharacters (name: string, portable: boolean): void {
  for (const [rule, pattern] of CHARACTERS) {
    if (rule === 'character' && !portable) continue
    const position = name.search(pattern)
    if (position >= 0) throw refuse(name, rule, position)
  }
}

function checkComponent (name: string, component: string, position: number, plain: boolean): void {
  const last = position + component.length - 1
  if (component === '') throw refuse(name, 'empty-component', position)
  if (component === '.') throw refuse(name, 'dot', position)
  if (component === '..') throw refuse(name, 'dot-dot', position)
  if (/^[a-z]:/i.test(component)) throw refuse(name, 'drive', position)
  if (component.endsWith('.')) throw refuse(name, 'trailing-dot', last)
  if (component.endsWith(' ')) throw refuse(name, 'trailing-space', last)
  if (DEVICE.test(component)) throw refuse(name, 'device', position)
  const bytes = plain ? component.length : byteLength(component)
  if (bytes > MAX_COMPONENT_BYTES) throw refuse(name, 'component-too-long', position, `${bytes} > ${MAX_COMPONENT_BYTES} bytes`)
}

function refuse (name: string, rule: NameRule, position: number, numbers?: string): ReceiveError {
  const why = numbers == null ? '' : ` (${numbers})`
  return new ReceiveError('ERR_NAME', `name "${escapeName(name)}" breaks the rule ${rule} at ${position}${why}`, { rule, position })
}

function byteLength (text: string): number {
  return ENCODER.encode(text).length
}

const ENCODER = new TextEncoder()

/** One byte each, in normal form, and harmless. */
const PLAIN = /^[\w .,@+=~%()/-]*$/

const CHARACTERS: ReadonlyArray<readonly [NameRule, RegExp]> = [
  ['nul', /\0/],
  ['control', /\p{Cc}/u],
  ['surrogate', /\p{Cs}/u],
  ['backslash', /\\/],
  ['character', /[<>:"|?*]/]
]

/** What Windows takes for a device whatever follows the first dot or colon, the superscript digits of its own code pages included. */
const DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)[0-9\u00b9\u00b2\u00b3]) *([.:]|$)/i
