/**
 * What can be typed about the configuration of a node.
 *
 * @module
 */
import type { Command } from 'commander'
import type { ConfigFlags } from '../commands/config.ts'
import type { Context } from '../context.ts'
import type { Exit } from '../exit-codes.ts'
import { examples } from '../options.ts'

export function addConfig (program: Command, context: Context, done: (exit: Exit) => void): void {
  const config = program.command('config').description('the settings of a node')
  const show = config.command('show')
    .description('print every setting, and where its value comes from')
    .option('--config <file>', 'the file (default: what ROPEWALK_CONFIG names, or none)')
    .option('--json', 'print NDJSON, one JSON object a line', false)
    .action(async (flags: ConfigFlags) => done(await (await import('../commands/config.ts')).showConfig(context, flags)))
  examples(show, ['ropewalk config show --config node.toml', 'ropewalk config show --json | jq .from'], CONFIG_HELP)
  examples(config, ['ropewalk config show', 'ropewalk config show --config node.toml'], CONFIG_HELP)
}

const CONFIG_HELP = `
A flag of "serve" goes before the environment, that before the file, and the
file before the default. The output is a file that says the same; what nobody
has said is a comment. SIGHUP makes a node read its file again.
`
