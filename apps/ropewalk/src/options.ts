/**
 * Options and texts that several commands share.
 *
 * @module
 */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { DEFAULT_ADDRESS } from './address.ts'
import { parseConcurrency } from './arguments.ts'
import { TOKEN_VARIABLE } from './context.ts'
import { messageOf } from './errors.ts'
import { EXIT_HELP } from './exit-codes.ts'
import { reflow } from './width.ts'
import { PROFILE_NAMES, type ProfileName } from './wire.ts'

/** Transfers at once unless somebody says otherwise. Ours: enough that the commits of small files do not wait for one another. */
export const DEFAULT_CONCURRENCY = 16

export const TRUST_HELP = `
Trust: an address ends in #sha256=…, the key that the node must have; "ropewalk
serve" prints it whole. Without it, a node of the same user is trusted, and one
whose key was kept before; of any other you are asked at a terminal. Scripts
need the whole address, or --trust once. With --ca the authority vouches for the
name or address in the certificate instead ("ropewalk ca --help").
`

/** What every command that connects to a node takes. */
export function connecting (command: Command, flag: '--to' | '--from' | '--at'): Command {
  return command
    .option(`${flag} <address>`, 'the node', DEFAULT_ADDRESS)
    .option('--ca <file>', 'trust the nodes for which this authority vouches, and no others')
    .option('--token-file <file>', `the access token of the cluster (or in ${TOKEN_VARIABLE})`)
    .addOption(profile())
    .option('--trust', 'trust a node that is not known yet, and keep its key', false)
    .option('--allow-plaintext', 'allow mdsftp+tcp:// to other machines', false)
    .option('--json', 'print NDJSON, one JSON object a line', false)
}

export function profile (): Option {
  return new Option('--profile <name>', `the wire, where an address names none: ${PROFILE_NAMES.join(', ')}`).choices(PROFILE_NAMES).default('upstream' satisfies ProfileName)
}

export function concurrency (): Option {
  return new Option('--concurrency <n>', 'transfers at once').default(DEFAULT_CONCURRENCY).argParser(checked(parseConcurrency))
}

/** The same for files of all sizes, where it depends on them. */
export function sizedConcurrency (): Option {
  return new Option('--concurrency <n>', `transfers at once (default: ${DEFAULT_CONCURRENCY}, of small files 32)`).argParser(checked(parseConcurrency))
}

/** `--json`, for a command that prints. */
export function json (command: Command): Command {
  return command.option('--json', 'print NDJSON, one JSON object a line', false)
}

/** Examples, then whatever else there is to say, then the exit codes. */
export function examples (command: Command, lines: readonly string[], more: string = ''): Command {
  return command.addHelpText('after', ({ command }) => asWide(command, `\nExamples:\n${lines.map(line => `  ${line}\n`).join('')}${more}${EXIT_HELP}`))
}

/** A text written for 80 columns, where there are fewer. */
function asWide (command: Command, text: string): string {
  const columns = command.configureOutput().getOutHelpWidth?.() ?? WRITTEN_COLUMNS
  return columns < WRITTEN_COLUMNS ? reflow(text, columns) : text
}

const WRITTEN_COLUMNS = 80

/** `parse` for commander, which then names the option. */
export function checked<T> (parse: (text: string) => T): (text: string) => T {
  return text => {
    try {
      return parse(text)
    } catch (error) {
      const message = messageOf(error)
      throw new InvalidArgumentError(`${message[0]?.toUpperCase() ?? ''}${message.slice(1)}.`)
    }
  }
}

/** For an option that can be given several times. */
export function collect (text: string, before: readonly string[] | undefined): string[] {
  return [...before ?? [], text]
}
