/**
 * The command line: `tree/` says what can be typed, a module for each family of commands; `commands/` does it.
 *
 * @module
 */
import { Command, CommanderError, Help, type Option } from 'commander'
import type { Context } from './context.ts'
import { exitFor } from './errors.ts'
import { Exit } from './exit-codes.ts'
import { printFailure } from './failure.ts'
import { examples } from './options.ts'
import { writeLines } from './progress/lines.ts'
import { addActivity } from './tree/activity.ts'
import { addAuthority } from './tree/authority.ts'
import { addCasync } from './tree/casync.ts'
import { addConfig } from './tree/config.ts'
import { addGrants } from './tree/grants.ts'
import { addInspect } from './tree/inspect.ts'
import { addNode } from './tree/node.ts'
import { addObjects } from './tree/objects.ts'
import { addUploads } from './tree/uploads.ts'
import { addPeers } from './tree/peers.ts'
import { addShell } from './tree/shell.ts'
import { addSwarm } from './tree/swarm.ts'
import { describeBuild } from './version.ts'

/** Runs the command line `argv`, without the names of Node and of the program. Resolves to the exit code and never rejects. */
export async function run (argv: readonly string[], context: Context): Promise<Exit> {
  let exit: Exit = Exit.done
  const program = commandTree(context, code => { exit = code })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return exit
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.done : Exit.usage
    printFailure(context.stderr, context.signal.aborted ? context.signal.reason : error)
    return exitFor(context.signal.aborted ? context.signal.reason : error)
  }
}

/** Everything that can be typed. `done` is told how the command ended. */
export function commandTree (context: Context, done: (exit: Exit) => void): Command {
  const program = new Command('ropewalk')
    .description('Move files between machines over one multiplexed, encrypted connection.')
    .version(describeBuild(), '-V, --version', 'print the version, and the commit it was built from')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showSuggestionAfterError()
    .exitOverride()
    .configureHelp({ optionDescription: describeOption, formatItem, minWidthToWrap: 20 })
    .configureOutput({
      writeOut: text => { context.stdout.write(text) },
      writeErr: text => { context.stderr.write(text) },
      outputError: text => { writeLines(context.stderr, text.replace(/^error: /, 'ropewalk: ').trimEnd()) },
      getOutHelpWidth: () => Math.min(context.stdout.columns ?? 80, 100),
      getErrHelpWidth: () => Math.min(context.stderr.columns ?? 80, 100)
    })

  examples(program, ['ropewalk serve', 'ropewalk put holiday.mov', 'ropewalk COMMAND --help'])
  addNode(program, context, done)
  addObjects(program, context, done)
  addUploads(program, context, done)
  addAuthority(program, context, done)
  addPeers(program, context, done)
  addActivity(program, context, done)
  addSwarm(program, context, done)
  addCasync(program, context, done)
  addGrants(program, context, done)
  addConfig(program, context, done)
  addInspect(program, context, done)
  addShell(program, context, done)
  return program
}

/** Where the terms leave no room beside them, what they mean stands below. */
function formatItem (term: string, termWidth: number, description: string, help: Help): string {
  const { helpWidth = 80, minWidthToWrap } = help
  if (description === '' || helpWidth - termWidth - 4 >= minWidthToWrap) return Help.prototype.formatItem.call(help, term, termWidth, description, help)
  return `  ${term}\n      ${help.boxWrap(description, helpWidth - 6).replaceAll('\n', '\n      ')}`
}

/** Commander says of every switch that its default is false. */
function describeOption ({ description, defaultValue, defaultValueDescription }: Option): string {
  const usual = defaultValueDescription ?? (defaultValue === undefined || defaultValue === false ? undefined : String(defaultValue))
  return usual === undefined ? description : `${description} (default: ${usual})`
}
