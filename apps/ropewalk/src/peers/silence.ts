/**
 * Peers that are there and say nothing.
 *
 * @module
 */
import { codeOf, RopewalkError } from '../errors.ts'

/** What in an error, or behind it, says that nothing came in time. */
export function silenceIn (error: unknown): Error | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (codeOf(cause) === 'ERR_TIMEOUT') return cause
  return undefined
}

/** Somebody was asked for something, and said nothing. */
export function unanswered (who: string, what: string, ms: number, cause: unknown, advice: readonly string[] = []): RopewalkError {
  return new RopewalkError('ERR_TIMEOUT', `${who} has not answered ${what} within ${inWords(ms)}`, {
    cause, advice: ['It was reached, and says nothing: its machine may be asleep, overloaded or stuck.', ...advice]
  })
}

/** Milliseconds as people say them: `2.5 seconds`, `10 minutes`. */
export function inWords (ms: number): string {
  const [count, unit] = ms >= 120_000 ? [ms / 60_000, 'minute'] : [ms / 1000, 'second']
  const shown = Math.round(count * 10) / 10
  return `${shown} ${unit}${shown === 1 ? '' : 's'}`
}
