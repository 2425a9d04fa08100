import type { Limit, PackageLimits } from './limit.ts'

/** What is known of a package from its files. */
export interface Sources {
  /** The text of each file of `src/`, by path from there. */
  readonly code: ReadonlyMap<string, string>
  /** The text of each file of `test/`, by path from there. */
  readonly tests: ReadonlyMap<string, string>
}

const UNIT_OF_SUFFIX: Readonly<Record<string, string>> = {
  _BYTES: 'bytes', _MS: 'ms', _CHARACTERS: 'characters', _PER_SECOND: 'a second', _PIECES: 'pieces', _FRAGMENTS: 'fragments', _FILES: 'files', _CHANNELS: 'channels'
}

/** Everything that is wrong with what is said of a package, as sentences. */
export function check ({ folder, limits, others }: Omit<PackageLimits, 'exports'>, exports: Readonly<Record<string, unknown>>, sources: Sources): string[] {
  const declared = new Set([...sources.code.values()].flatMap(constantsIn))
  const listed = [...limits.map(({ constant }) => constant), ...Object.keys(others)]
  return [
    ...[...declared].filter(name => !listed.includes(name)).map(name => `${name} is neither a limit nor among the others`),
    ...listed.filter((name, at) => listed.indexOf(name) !== at).map(name => `${name} is listed twice`),
    ...listed.filter(name => !declared.has(name)).map(name => `${name} is no constant of the package`),
    ...Object.entries(others).filter(([, reason]) => reason.trim() === '').map(([name]) => `${name} bounds nothing, but nobody says why`),
    ...limits.flatMap(limit => [...faultsOf(limit, exports, sources)])
  ].map(fault => `${folder}: ${fault}`)
}

function * faultsOf ({ constant, unit, option, code, test: [file, title] }: Limit, exports: Readonly<Record<string, unknown>>, { code: sources, tests }: Sources): Generator<string> {
  const value = exports[constant]
  if (value === undefined) yield `${constant} is not exported by the index`
  else if (typeof value !== 'number') yield `${constant} is no number`

  const suffix = Object.keys(UNIT_OF_SUFFIX).find(suffix => constant.endsWith(suffix))
  if (suffix !== undefined && UNIT_OF_SUFFIX[suffix] !== unit) yield `${constant} is in ${UNIT_OF_SUFFIX[suffix]}, not in ${unit}`

  if (code !== undefined && ![...sources.values()].some(text => text.includes(`'${code}'`))) yield `${constant} raises ${code}, which the package does not know`

  if (option !== undefined && ![...sources.values()].some(text => new RegExp(`\\b${option}\\??:`).test(text))) yield `${constant} has no option ${option}`

  if (file === '' || title === '') yield `${constant} has no test`
  else if (!tests.has(file)) yield `${constant}: test/${file} is not there`
  else if (!titlesIn(tests.get(file) ?? '').has(title)) yield `${constant}: test/${file} has no test "${title}"`
}

/** The numbers that a file exports under a name in capitals. Words and tables bound nothing. */
export function constantsIn (text: string): string[] {
  return [...text.matchAll(/^export const ([A-Z][A-Z0-9_]*)(?:: \w+)? = (?!['"`{[(]|new |profile\()/gm)].map(match => match[1] as string)
}

/** The titles of the tests in a file, as they stand there: with what is put into them still in `${}`. */
export function titlesIn (text: string): Set<string> {
  return new Set([...text.matchAll(/\.test\(\s*(?:'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`)/g)].map(match => (match[1] ?? match[2] as string).replace(/\\(.)/g, '$1')))
}
