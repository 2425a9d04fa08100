/** Throws unless `value` counts something: a whole number from 0 to 2^53 - 1. */
export function assertUnits (name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name} must be a whole number from 0: ${value}`)
}

/** Throws unless `value` is a bound that lets anything through: a whole number from 1 to 2^53 - 1. */
export function assertBound (name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be a whole number from 1: ${value}`)
}
