/**
 * Events and results as NDJSON: one JSON object a line.
 *
 * Progress is thinned: a fragment is worth nothing to a reader, a picture four times a second is.
 *
 * @module
 */
import type { TransferEvent } from '@ropewalk/interface'

/** Between two progress lines of one transfer. Ours. */
export const PROGRESS_INTERVAL_MS = 250

export class Ndjson {
  readonly #last = new Map<string, number>()

  /** The line for an event, with its newline; undefined for progress that comes too soon after the last. */
  event (event: TransferEvent, now: number): string | undefined {
    const { transfer } = event
    if (event.event === 'progress') {
      const last = this.#last.get(transfer) ?? -Infinity
      if (now - last < PROGRESS_INTERVAL_MS) return undefined
      this.#last.set(transfer, now)
    } else this.#last.delete(transfer)
    return encodeLine(event)
  }
}

/** One line. 64-bit numbers become decimal text: JSON readers would round them. What could do something in a terminal is escaped: lines are looked at, too. */
export function encodeLine (record: object): string {
  const line = JSON.stringify(record, (_, value: unknown) => typeof value === 'bigint' ? String(value) : value)
  return `${UNSAFE.test(line) ? line.replaceAll(new RegExp(UNSAFE, 'gu'), escaped) : line}\n`
}

function escaped (character: string): string {
  return Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')
}

/** What JSON leaves as it is: DEL and C1, format characters (bidi, zero-width, tags), line and paragraph separators. Only strings can have them. */
const UNSAFE = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/u
