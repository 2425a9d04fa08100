/**
 * Numbers for people.
 *
 * @module
 */
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** `0 B`, `999 B`, `1.0 KiB`, `128.0 MiB`. */
export function formatBytes (bytes: number): string {
  let unit = 0
  let value = bytes
  // Not 1024: 1023.96 would be shown as 1024.0.
  while (value >= 1023.95 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return unit === 0 ? `${Math.round(value)} B` : `${value.toFixed(1)} ${UNITS[unit] as string}`
}

export function formatRate (bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`
}

/** `0:07`, `12:34`, `1:02:03`; `-:--` where it cannot be told. */
export function formatEta (seconds: number | undefined): string {
  if (seconds === undefined || !Number.isFinite(seconds) || seconds >= MAX_ETA_SECONDS) return '-:--'
  const whole = Math.ceil(seconds)
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`
}

/** `0.3 s`, `12 s`, `3:20 min`. */
export function formatDuration (ms: number): string {
  const seconds = ms / 1000
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  if (seconds < 119.5) return `${Math.round(seconds)} s`
  return `${formatEta(seconds)} ${seconds >= 3600 ? 'h' : 'min'}`
}

export function plural (count: number, noun: string, nouns: string = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : nouns}`
}

/** Four days: a longer guess is none. */
const MAX_ETA_SECONDS = 360_000

function pad (value: number): string {
  return String(value).padStart(2, '0')
}
