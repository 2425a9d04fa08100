/**
 * One value for each setting, and where it came from. A flag goes before the environment, that before the file, and the file before what holds anyway.
 *
 * @module
 */
import type { FileValue } from './file.ts'
import { SETTINGS, variableOf, type Setting } from './settings.ts'
import { checkedValue } from './value.ts'

/** The variable that names the file, where no flag does. */
export const CONFIG_VARIABLE = 'ROPEWALK_CONFIG'

export interface Resolved {
  readonly setting: Setting
  /** Undefined where nobody says anything, and nothing holds. */
  readonly value: unknown
  /** `node.toml:12`, `ROPEWALK_LISTEN`, `--listen`, `default`. */
  readonly from: string
}

export interface Sources {
  readonly env: NodeJS.ProcessEnv
  /** Of `--config`; undefined: what the environment names, or none. */
  readonly file?: string | undefined
  /** What flags have said, by the keys of settings. */
  readonly flags?: ReadonlyMap<string, unknown> | undefined
}

export class Configuration {
  readonly settings: ReadonlyMap<string, Resolved>

  constructor (settings: ReadonlyMap<string, Resolved>) {
    this.settings = settings
  }

  /** The value of a setting. What its kind lets through is what comes out. */
  get<T> (key: string): T | undefined {
    const found = this.settings.get(key)
    if (found === undefined) throw new RangeError(`no setting ${key}`)
    return found.value as T | undefined
  }

  /** True when somebody has said so. */
  isSet (key: string): boolean {
    const from = this.settings.get(key)?.from
    return from !== undefined && from !== 'default'
  }

  /** Settings that are other than they were. */
  changedFrom (before: Configuration): Resolved[] {
    return [...this.settings.values()].filter(({ setting, value }) => JSON.stringify(value) !== JSON.stringify(before.settings.get(setting.key)?.value))
  }
}

export async function resolveConfig ({ env, file, flags = new Map() }: Sources): Promise<Configuration> {
  const named = env[CONFIG_VARIABLE]
  const path = file ?? (named === '' ? undefined : named)
  const said: ReadonlyMap<string, FileValue> = path === undefined ? new Map() : await (await import('./file.ts')).readConfigFile(path)
  return new Configuration(new Map(SETTINGS.map(setting => [setting.key, resolved(setting, env, said.get(setting.key), path, flags)])))
}

function resolved (setting: Setting, env: NodeJS.ProcessEnv, said: FileValue | undefined, path: string | undefined, flags: ReadonlyMap<string, unknown>): Resolved {
  const { key, kind, flag = '', fallback } = setting
  const fromFlag = flags.get(key)
  if (fromFlag !== undefined) return { setting, value: fromFlag, from: flag }
  const variable = variableOf(setting)
  const text = env[variable] ?? ''
  if (text !== '') {
    const value = checkedValue(setting, kind.words?.(text) ?? text, `${variable}: ${key}`, process.cwd())
    return { setting, value, from: variable }
  }
  if (said !== undefined) return { setting, value: said.value, from: `${path as string}:${said.line}` }
  return { setting, value: fallback, from: 'default' }
}

/** What `serve` was told, by the names that commander gives its flags, as settings. */
export function flagSettings (flags: Readonly<Record<string, unknown>>): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>()
  for (const { key, flag } of SETTINGS) {
    if (flag === undefined) continue
    const value = flags[nameOf(flag)]
    if (value !== undefined) found.set(key, value)
  }
  return found
}

/** The settings as those flags: what `serve` makes services of. */
export function settingFlags (configuration: Configuration): Record<string, unknown> {
  const flags: Record<string, unknown> = {}
  for (const { setting: { flag }, value } of configuration.settings.values()) if (flag !== undefined && value !== undefined) flags[nameOf(flag)] = value
  return flags
}

/** `--no-discover` and `--token-file` are `discover` and `tokenFile`. */
function nameOf (flag: string): string {
  return flag.replace(/^--(no-)?/, '').replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}
