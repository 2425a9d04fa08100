/**
 * Lines for people, on standard error: what is noted, and what went wrong.
 *
 * @module
 */
import { wrap } from '../width.ts'
import { DEFAULT_COLUMNS } from './live-screen.ts'
import type { Output } from './report.ts'

/** Writes `text` and a newline: at a terminal as wide as it is, and over the `^C` that it shows; elsewhere as it stands, a line for whoever looks for one. */
export function writeLines (output: Output, text: string): void {
  output.write(output.isTTY === true ? `\r${wrap(text, output.columns ?? DEFAULT_COLUMNS)}\n` : `${text}\n`)
}
