/**
 * The status report. Pure.
 *
 * With n the number of chunks of a file: `local` is held here / n, `system` is held by anybody / n, `leastReplication` the lowest
 * level of all n, `weightedLeastReplication` the mean level. Levels count holders, ourselves included. For n = 0 the
 * first two are 1 and the others the number of holders.
 *
 * @module
 */
import { SwarmError } from './errors.ts'
import { formatJson, parseJson, type JsonValue } from './json-codec.ts'
import type { ProfileName } from './message.ts'

export interface FileStatus {
  readonly name: string
  readonly local: number
  readonly system: number
  readonly leastReplication: number
  readonly weightedLeastReplication: number
}

/** The report of one file: the level of each chunk, and how many are held here. `holders` counts for a file without chunks. */
export function fileStatus (name: string, levels: ArrayLike<number>, heldHere: number, holders: number): FileStatus {
  const n = levels.length
  if (n === 0) return { name, local: 1, system: 1, leastReplication: holders, weightedLeastReplication: holders }
  let least = Infinity
  let sum = 0
  let somewhere = 0
  for (let index = 0; index < n; index++) {
    const level = levels[index] as number
    least = Math.min(least, level)
    sum += level
    if (level >= 1) somewhere++
  }
  return { name, local: heldHere / n, system: somewhere / n, leastReplication: least, weightedLeastReplication: sum / n }
}

/** As JSON with the keys of the profile, numbers in single precision. The documented one has no names. */
export function encodeStatus (profile: ProfileName, files: readonly FileStatus[]): Uint8Array {
  const least = files.map(file => file.leastReplication)
  const local = files.map(file => single(file.local))
  const system = files.map(file => single(file.system))
  const weighted = files.map(file => single(file.weightedLeastReplication))
  if (profile === 'documented') {
    return formatJson({ numFiles: files.length, local, system, leastReplication: least, weightedLeastReplication: weighted })
  }
  return formatJson({
    NumFiles: files.length, Files: files.map(file => file.name), Local: local, System: system, LeastReplication: least, WeightedLeastReplication: weighted
  })
}

/** Either spelling. Names are empty where the report has none. Throws `ERR_BAD_FIELD`. */
export function decodeStatus (bytes: Uint8Array): FileStatus[] {
  const report = parseJson(bytes)
  if (!(report instanceof Map)) throw new SwarmError('ERR_BAD_FIELD', 'a status that is no object')
  const count = report.get('numfiles')
  const column = (key: string): number[] => {
    const values = report.get(key)
    if (!Array.isArray(values) || values.length !== count) throw new SwarmError('ERR_BAD_FIELD', `${key} is no list of ${String(count)}`)
    return values.map(numeric)
  }
  const [local, system, least, weighted] = ['local', 'system', 'leastreplication', 'weightedleastreplication'].map(column)
  const names = report.get('files')
  return (local as number[]).map((value, index) => ({
    name: Array.isArray(names) && typeof names[index] === 'string' ? names[index] : '',
    local: value,
    system: system?.[index] as number,
    leastReplication: least?.[index] as number,
    weightedLeastReplication: weighted?.[index] as number
  }))
}

function numeric (value: JsonValue): number {
  if (typeof value === 'number') return value
  if (typeof value === 'object' && value !== null && 'fraction' in value) return value.fraction
  throw new SwarmError('ERR_BAD_FIELD', 'a status value that is no number')
}

/** The shortest number that is the same in single precision. */
function single (value: number): number {
  const wanted = Math.fround(value)
  for (let digits = 1; digits <= 9; digits++) {
    const short = Number(wanted.toPrecision(digits))
    if (Math.fround(short) === wanted) return short
  }
  return wanted
}
