/**
 * Where on a command line somebody is, and what can stand there: what the completions of all shells are made of.
 *
 * @module
 */
import type { CommandShape, OptionShape, WordShape } from './shape.ts'

export interface Place {
  /** The words so far, a space before each. */
  readonly at: string
  readonly children: readonly WordShape[]
  readonly options: readonly OptionShape[]
  /** What its arguments can be. */
  readonly words: readonly string[]
  readonly files: boolean
}

export function placeOf ({ words }: CommandShape): string {
  return words.map(word => ` ${word}`).join('')
}

export function places (shapes: readonly CommandShape[]): Place[] {
  return shapes.map(shape => ({
    at: placeOf(shape),
    children: shape.children,
    options: shape.options,
    words: shape.takes.flatMap(({ value }) => value.kind === 'words' ? value.words : []),
    files: shape.takes.some(({ value }) => value.kind === 'files')
  }))
}

/** A word as bash and zsh read it. */
export function quote (text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
