/** Throws unless `value` counts something: a whole number from `least` to 2^53 - 1. */
export function assertUnits (name: string, value: number, least: number = 0): void {
  if (!Number.isSafeInteger(value) || value < least) throw new RangeError(`${name} must be a whole number from ${least}: ${value}`)
}
