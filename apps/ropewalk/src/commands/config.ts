import type { Context } from '../context.ts'
import { resolveConfig, type Resolved } from '../config/resolve.ts'
import { variableOf } from '../config/settings.ts'
import { Exit } from '../exit-codes.ts'
import { encodeLine } from '../progress/ndjson.ts'

export interface ConfigFlags {
  readonly config?: string | undefined
  readonly json: boolean
}

/** Prints every setting with where it came from: as a file that says the same, or as NDJSON. */
export async function showConfig (context: Context, { config, json }: ConfigFlags): Promise<Exit> {
  const { stdout, env } = context
  const { settings } = await resolveConfig({ env, file: config })
  if (json) {
    for (const { setting, value, from } of settings.values()) {
      stdout.write(encodeLine({ event: 'setting', key: setting.key, value: value ?? null, from, variable: variableOf(setting), flag: setting.flag ?? null, reloads: setting.reloads === true }))
    }
    return Exit.done
  }
  let section = ''
  for (const resolved of settings.values()) {
    const [name = '', before = ''] = resolved.setting.key.split('.').toReversed()
    if (before !== section) stdout.write(`\n[${before}]\n`)
    section = before
    stdout.write(line(name, resolved))
  }
  return Exit.done
}

/** What nobody has said is a comment, so that the whole stays a file that can be read. */
function line (name: string, { value, from }: Resolved): string {
  if (value === undefined) return `# ${name} =\n`
  const text = `${name} = ${JSON.stringify(value)}`
  return from === 'default' ? `# ${text}\n` : `${text.padEnd(46)}  # ${from}\n`
}
