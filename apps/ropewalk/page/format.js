/** Numbers and names as people read them. */

/** `1.5 MiB`. */
export function bytes (number) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let unit = 0
  while (number >= 1024 && unit < units.length - 1) {
    number /= 1024
    unit++
  }
  return `${unit === 0 ? Math.round(number) : number.toFixed(number < 10 ? 1 : 0)} ${units[unit]}`
}

/** `12 s`, `3 min`, `2 h`, `5 d`. */
export function span (milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  if (seconds < 90) return `${seconds} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  return seconds < 129_600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`
}

/** `09:41:07`. */
export function clock (time) {
  return new Date(time).toTimeString().slice(0, 8)
}

/** Control and direction characters would make a name look like another. */
export function shown (name) {
  return name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, character => `\\u{${character.codePointAt(0).toString(16)}}`)
}

/** `1 file`, `2 files`. */
export function count (number, noun) {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
