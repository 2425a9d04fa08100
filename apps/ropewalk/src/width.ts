/**
 * How many columns a text takes on a terminal, and how to make it fit.
 *
 * @module
 */
import { stripVTControlCharacters } from 'node:util'

let segmenter: Intl.Segmenter | undefined

/** Its parts, each of which stands in columns of its own. What tells them apart is made when it is first needed: that takes 10 to 20 ms, and nearly every text is plain. */
function segmentsOf (text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  return segmenter.segment(text)
}

const WIDE = /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u

const NONE = /^[\p{M}\u200b-\u200d\ufeff]+$/u

export function widthOf (text: string): number {
  // Plain ASCII: what nearly every name is.
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let width = 0
  for (const { segment } of segmentsOf(text)) width += widthOfSegment(segment)
  return width
}

/** `text` in at most `columns` columns, cut in its middle: the end of a file name tells its kind. */
export function fit (text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  if (columns < 1) return ''
  const segments = Array.from(segmentsOf(text), ({ segment }) => segment)
  const tail = take(segments.toReversed(), Math.floor((columns - 1) / 2)).toReversed()
  const head = take(segments, columns - 1 - widthOf(tail.join('')))
  return `${head.join('')}…${tail.join('')}`
}

/** `fit`, filled with spaces to exactly `columns`. */
export function column (text: string, columns: number): string {
  const fitted = fit(text, columns)
  return fitted + ' '.repeat(Math.max(0, columns - widthOf(fitted)))
}

/**
 * `text`, each of its lines in at most `columns`, broken between words; what goes on stands two columns further in. A word that
 * fits into no line stays where it is: an address or a path is copied whole.
 */
export function wrap (text: string, columns: number): string {
  return text.split('\n').map(line => wrapLine(line, columns)).join('\n')
}

/**
 * A page of text as wide as `columns`: lines that stand at the left and follow each other are one paragraph; the others are examples
 * and entries, each a line of its own.
 */
export function reflow (text: string, columns: number): string {
  const paragraphs = text.replace(/(?<=^[^ \n].*[^:\n])\n(?=[^ \n])/gm, ' ')
  return paragraphs.split('\n').map(line => wrapLine(line, columns, line.startsWith(' ') ? 2 : 0)).join('\n')
}

function wrapLine (line: string, columns: number, further = 2): string {
  if (visible(line) <= columns) return line
  const indent = ' '.repeat((/^ */.exec(line)?.[0].length ?? 0) + further)
  let wrapped = ''
  let used = 0
  for (const [piece, spaces = '', word = ''] of line.trimEnd().matchAll(/( *)([^ ]+)/g)) {
    const width = visible(word)
    const tooLong = width > columns - indent.length
    if (tooLong || used + spaces.length + width <= columns) {
      wrapped += piece
      used += spaces.length + width
      // The terminal itself goes on in the next row.
      if (tooLong) used %= columns
    } else {
      wrapped += `\n${indent}${word}`
      used = indent.length + width
    }
  }
  return wrapped
}

/** Columns of a text that may be coloured. */
function visible (text: string): number {
  return widthOf(stripVTControlCharacters(text))
}

function widthOfSegment (segment: string): number {
  return NONE.test(segment) ? 0 : WIDE.test(segment) ? 2 : 1
}

function take (segments: readonly string[], columns: number): string[] {
  const taken: string[] = []
  let left = columns
  for (const segment of segments) {
    left -= widthOfSegment(segment)
    if (left < 0) break
    taken.push(segment)
  }
  return taken
}
