/**
 * Lines for people: what is noted, what went wrong, and at a terminal what came of it.
 *
 * @module
 */
import { escapeName } from '@ropewalk/receive'
import { wrap } from '../width.ts'
import { DEFAULT_COLUMNS } from './live-screen.ts'
import type { Output } from './report.ts'

/** A message, which may have words of the other end in it: nothing of it moves the cursor, rings, hides or turns around. What was escaped before stays as it is. */
export function harmless (message: string): string {
  return message.replaceAll(UNSAFE, character => escapeName(character))
}

/** Control characters but the line feed, format characters, line and paragraph separators. */
const UNSAFE = /[^\n\P{Cc}]|[\p{Cf}\p{Zl}\p{Zp}]/gu

/** Writes `text` and a newline: at a terminal over the `^C` that it shows, and as wide as it is; elsewhere as it stands, a line for whoever looks for one. */
export function writeLines (output: Output, text: string): void {
  output.write(linesOf(output, text))
}

/** What that writes. */
export function linesOf (output: Output, text: string): string {
  return output.isTTY === true ? `\r${fitted(output, text)}\n` : `${text}\n`
}

/** `text` for a terminal. */
export function fitted (terminal: Output, text: string): string {
  return wrap(text, terminal.columns ?? DEFAULT_COLUMNS)
}
