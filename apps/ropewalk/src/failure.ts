/**
 * Errors for people.
 *
 * @module
 */
import { escapeName } from '@ropewalk/receive'
import { codeOf, messageOf, RopewalkError } from './errors.ts'

/** What is printed when a command cannot go on: what is wrong, where, and what to do. */
export function describeFailure (error: unknown): string {
  if (codeOf(error) === 'ERR_USER_INTERRUPT') return 'ropewalk: interrupted'
  const lines = [`ropewalk: ${messageOf(error)} (${codeOf(error)})`]
  if (error instanceof RopewalkError) {
    if (error.text !== undefined) lines.push(...pointAt(error.text, error.at))
    lines.push(...error.advice.map(line => `  ${line}`))
  }
  return lines.join('\n')
}

/** The text again, with a mark under the character that is wrong. */
function pointAt (text: string, at: number | undefined): string[] {
  const shown = `  ${escapeName(text)}`
  // Where something was escaped, or is wide, the mark would stand elsewhere.
  if (at === undefined || !/^[\x20-\x5b\x5d-\x7e]{0,76}$/.test(text)) return [shown]
  return [shown, `  ${' '.repeat(at)}^`]
}
