/**
 * Errors for people.
 *
 * @module
 */
import { escapeName } from '@ropewalk/receive'
import { codeOf, messageOf, RopewalkError } from './errors.ts'
import { harmless, writeLines } from './progress/lines.ts'
import { DEFAULT_COLUMNS } from './progress/live-screen.ts'
import type { Output } from './progress/report.ts'

/** Prints why a command cannot go on: what is wrong, where, and what to do. `advice` is for errors that bring none of their own. */
export function printFailure (stderr: Output, error: unknown, advice: readonly string[] = []): void {
  const lines = describe(error, stderr.columns ?? DEFAULT_COLUMNS)
  writeLines(stderr, [...lines, ...advice.map(line => `  ${line}`)].join('\n'))
}

function describe (error: unknown, columns: number): string[] {
  if (codeOf(error) === 'ERR_USER_INTERRUPT') return ['ropewalk: interrupted']
  const lines = [`ropewalk: ${harmless(messageOf(error))} (${codeOf(error)})`]
  if (!(error instanceof RopewalkError)) return lines
  if (error.text !== undefined) lines.push(...pointAt(error.text, error.at, columns))
  return [...lines, ...error.advice.map(line => `  ${harmless(line)}`)]
}

/** The text again, with a mark under the character that is wrong. */
function pointAt (text: string, at: number | undefined, columns: number): string[] {
  const shown = `  ${escapeName(text)}`
  // Where something was escaped, is wide, or goes on in the next row, the mark would stand elsewhere.
  if (at === undefined || shown.length > columns || !/^[\x20-\x5b\x5d-\x7e]*$/.test(text)) return [shown]
  return [shown, `  ${' '.repeat(at)}^`]
}
