/**
 * How fast, and when: `2M`, `off`, or a timetable of the day, `08:00,512k 19:00,off`. Pure.
 *
 * @module
 */
import { parseSize } from '../arguments.ts'
import { RopewalkError } from '../errors.ts'

/** From a minute of the day on, so many bytes a second; undefined: as fast as it goes. */
export interface RateStep {
  readonly minute: number
  readonly bytesPerSecond: number | undefined
}

/** Steps by rising minute; before the first one, yesterday's last holds. */
export type Rate = readonly RateStep[]

/** Slowest rate: below it nothing would seem to move. Ours. */
const MIN_RATE = 1024

/** Steps of a timetable. Ours. */
const MAX_STEPS = 48

export function parseRate (text: string): Rate {
  const words = text.trim().split(/\s+/)
  if (words.length === 1 && !text.includes(',')) return [{ minute: 0, bytesPerSecond: speedOf(words[0] as string, text) }]
  if (words.length > MAX_STEPS) throw wrong(`${words.length} > ${MAX_STEPS} times`, text)
  const steps = words.map(word => {
    const [, hours, minutes, speed] = /^(\d{1,2}):(\d{2}),(\S+)$/.exec(word) ?? []
    if (hours === undefined || Number(hours) > 23 || Number(minutes) > 59) throw wrong(`"${word}" is not HH:MM,SPEED`, text)
    return { minute: Number(hours) * 60 + Number(minutes), bytesPerSecond: speedOf(speed as string, text) }
  })
  if (steps.some(({ minute }, at) => at > 0 && minute <= (steps[at - 1] as RateStep).minute)) throw wrong('the times must rise', text)
  return steps
}

/** What holds at a minute of the day. */
export function rateAt (rate: Rate, minute: number): number | undefined {
  return (rate.findLast(step => step.minute <= minute) ?? rate.at(-1))?.bytesPerSecond
}

/** As it is written; `off` for no limit. */
export function formatRate (rate: Rate): string {
  const [only] = rate
  if (rate.length === 1 && only?.minute === 0) return formatSpeed(only.bytesPerSecond)
  return rate.map(({ minute, bytesPerSecond }) => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')},${formatSpeed(bytesPerSecond)}`).join(' ')
}

function formatSpeed (bytesPerSecond: number | undefined): string {
  if (bytesPerSecond === undefined) return 'off'
  const [unit, letter] = ([[1024 ** 3, 'G'], [1024 ** 2, 'M'], [1024, 'K']] as const).find(([unit]) => bytesPerSecond % unit === 0) ?? [1, '']
  return `${bytesPerSecond / unit}${letter}`
}

function speedOf (word: string, text: string): number | undefined {
  if (word === 'off') return undefined
  const bytes = parseSize(word)
  if (bytes < MIN_RATE) throw wrong(`${bytes} < ${MIN_RATE} bytes a second`, text)
  return bytes
}

function wrong (message: string, text: string): RopewalkError {
  return new RopewalkError('ERR_USAGE', message, { text })
}
