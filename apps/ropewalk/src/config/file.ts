/**
 * The configuration file: TOML, checked against the table of settings. Whatever is wrong is told with file, line, key, and what was expected.
 *
 * @module
 */
import { dirname, resolve } from 'node:path'
import { parse, TomlError, type TomlTable } from 'smol-toml'
import { fileError, RopewalkError } from '../errors.ts'
import { readOperatorFile } from '../operator-file.ts'
import { nearest } from './nearest.ts'
import { SETTINGS } from './settings.ts'
import { checkedValue } from './value.ts'

/** Bytes of a file, and its lines. Ours. */
export const MAX_CONFIG_BYTES = 65_536
export const MAX_CONFIG_LINES = 2000

/** A value, and the line that says it. */
export interface FileValue {
  readonly value: unknown
  readonly line: number
}

export async function readConfigFile (path: string): Promise<ReadonlyMap<string, FileValue>> {
  const text = await readOperatorFile(path).catch((error: unknown) => { throw new RopewalkError('ERR_CONFIG', fileError(error).message, { text: path, cause: error }) })
  return parseConfig(text, path)
}

/** The settings of a file, by their keys. Paths are made absolute, from where the file is. */
export function parseConfig (text: string, path: string): ReadonlyMap<string, FileValue> {
  const bytes = Buffer.byteLength(text)
  const lines = text.split('\n')
  if (bytes > MAX_CONFIG_BYTES) throw wrong(`${bytes} > ${MAX_CONFIG_BYTES} bytes`, path, undefined)
  if (lines.length > MAX_CONFIG_LINES) throw wrong(`${lines.length} > ${MAX_CONFIG_LINES} lines`, path, undefined)
  const table = read(text, path)
  const where = locate(lines)
  const values = new Map<string, FileValue>()
  for (const [key, value] of leaves(table)) {
    const line = where.get(key) ?? 1
    const setting = SETTINGS.find(setting => setting.key === key)
    if (setting === undefined) throw unknown(key, value, path, line)
    values.set(key, { value: checkedValue(setting, value, `${path}:${line}: ${key}`, dirname(resolve(path))), line })
  }
  return values
}

function read (text: string, path: string): TomlTable {
  try {
    return parse(text, { unsafeKeyBehaviour: 'throw' })
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [reason = 'it cannot be read'] = error.message.replace(/^Invalid TOML document: /, '').split('\n')
    throw wrong(`expected TOML: ${reason}`, path, error.line)
  }
}

/** Keys with their values; lists are values. */
function * leaves (table: TomlTable, before: string = ''): Generator<[string, unknown]> {
  for (const [name, value] of Object.entries(table)) {
    if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.getPrototypeOf(table) && !Array.isArray(value)) yield * leaves(value as TomlTable, `${before}${name}.`)
    else yield [`${before}${name}`, value]
  }
}

/**
 * On which line each key is said. The reader of TOML does not tell, but it can be asked: a key stands in the first statement with which
 * the lines so far can be read and have it.
 */
function locate (lines: readonly string[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  let begun = 1
  for (let end = 1; end <= lines.length; end++) {
    let table: TomlTable
    try {
      table = parse(lines.slice(0, end).join('\n'))
    } catch {
      // The statement goes on.
      continue
    }
    for (const [key] of leaves(table)) if (!found.has(key)) found.set(key, begun)
    begun = end + 1
  }
  return found
}

function unknown (key: string, value: unknown, path: string, line: number): RopewalkError {
  const keys = SETTINGS.map(setting => setting.key)
  const near = nearest(key, keys)
  const section = key.includes('.') ? keys.filter(other => other.startsWith(`${key.split('.')[0] as string}.`)) : []
  return new RopewalkError('ERR_CONFIG', `${path}:${line}: ${key}: expected a setting, and found one that there is not, with ${JSON.stringify(value)}`, {
    advice: [near === undefined ? section.length > 0 ? `There are ${section.join(', ')}.` : '"ropewalk config show" lists all there are.' : `Is ${near} meant?`]
  })
}

function wrong (message: string, path: string, line: number | undefined): RopewalkError {
  return new RopewalkError('ERR_CONFIG', `${path}${line === undefined ? '' : `:${line}`}: ${message}`)
}
