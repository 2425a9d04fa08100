/**
 * The command tree. What a command does is in `commands/`.
 *
 * @module
 */
import { Command, CommanderError, Option } from 'commander'
import { parseDigest, parseRange, parseSize } from './arguments.ts'
import { get, type GetFlags } from './commands/get.ts'
import { identity } from './commands/identity.ts'
import { inspect, type InspectFlags } from './commands/inspect.ts'
import { put, type PutFlags } from './commands/put.ts'
import { rm } from './commands/rm.ts'
import { serve, type ServeFlags } from './commands/serve.ts'
import { stat } from './commands/stat.ts'
import type { Context } from './context.ts'
import { exitFor } from './errors.ts'
import { Exit, EXIT_HELP } from './exit-codes.ts'
import { describeFailure } from './failure.ts'
import { PROTOCOLS } from './inspect/protocols.ts'
import type { ObjectFlags } from './objects.ts'
import { checked, concurrency, connecting, examples, TRUST_HELP } from './options.ts'
import { SPOOL_LIMIT_BYTES } from './spool.ts'
import { version } from './version.ts'

/** Runs the command line `argv`, without the names of Node and of the program. Resolves to the exit code and never rejects. */
export async function run (argv: readonly string[], context: Context): Promise<Exit> {
  let exit: Exit = Exit.done
  const program = commandTree(context, code => { exit = code })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return exit
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.done : Exit.usage
    context.stderr.write(`${describeFailure(context.signal.aborted ? context.signal.reason : error)}\n`)
    return exitFor(context.signal.aborted ? context.signal.reason : error)
  }
}

function commandTree (context: Context, done: (exit: Exit) => void): Command {
  const program = new Command('ropewalk')
    .description('Move files between machines over one multiplexed, encrypted connection.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', `\nExamples:\n  ropewalk serve\n  ropewalk put holiday.mov\n  ropewalk COMMAND --help${'\n'}${EXIT_HELP}`)
    .showSuggestionAfterError()
    .exitOverride()
    .configureHelp({ optionDescription: describeOption })
    .configureOutput({
      writeOut: text => { context.stdout.write(text) },
      writeErr: text => { context.stderr.write(text) },
      outputError: (text, write) => write(text.replace(/^error: /, 'ropewalk: ')),
      getOutHelpWidth: () => Math.min(context.stdout.columns ?? 80, 100),
      getErrHelpWidth: () => Math.min(context.stderr.columns ?? 80, 100)
    })

  addServe(program, context, done)
  addPut(program, context, done)
  addGet(program, context, done)
  addObjects(program, context, done)
  addIdentity(program, context, done)
  addInspect(program, context, done)
  return program
}

function addServe (program: Command, context: Context, done: (exit: Exit) => void): void {
  const command = program.command('serve')
    .description('run a storage node until Ctrl-C')
    .option('--listen <address>', 'where to listen; can be given several times (default: mdsftp+tls://127.0.0.1:7740)', collect)
    .option('--store <directory>', 'where to keep what is stored (default: in the state directory)')
    .option('--capacity <size>', 'store no more than this, for instance 20G', checked(parseSize))
    .option('--allow <fingerprint>', 'serve only who has this key ("ropewalk identity" prints it); several times for several', collectDigest)
    .option('--allow-anyone', 'serve whoever connects, also from other machines', false)
    .option('--allow-plaintext', 'allow mdsftp+tcp:// for other machines', false)
    .option('--json', 'print NDJSON, one JSON object a line', false)
    .action(async (flags: ServeFlags) => done(await serve(context, flags)))
  examples(command, [
    'ropewalk serve',
    'ropewalk serve --listen mdsftp+tls://0.0.0.0:7740 --allow sha256=9f86…',
    'ropewalk serve --listen mdsftp+unix:/run/ropewalk.sock --store /srv/objects'
  ], SERVE_HELP)
}

function addPut (program: Command, context: Context, done: (exit: Exit) => void): void {
  const command = connecting(program.command('put'), '--to')
    .description('store files')
    .argument('<file...>', 'files, or - for standard input')
    .addOption(concurrency())
    .addOption(new Option('--spool-limit <size>', 'how much of standard input to take').argParser(checked(parseSize)).default(SPOOL_LIMIT_BYTES, '4G'))
    .action(async (files: string[], flags: PutFlags) => done(await put(context, files, flags)))
  examples(command, [
    'ropewalk put *.jpg',
    'tar c photos | ropewalk put - --to mdsftp+tls://nas.example:7740#sha256=9f86…'
  ], PUT_HELP + TRUST_HELP)
}

function addGet (program: Command, context: Context, done: (exit: Exit) => void): void {
  const command = connecting(program.command('get'), '--from')
    .description('fetch files')
    .argument('<id...>', 'ids, as put has printed them')
    .option('-o, --output <path>', 'a file, a directory, or - for standard output (default: here, named by its id)')
    .option('--range <a-b>', 'only bytes A up to, but without, B; A- for the rest', checked(parseRange))
    .option('--expect <sha256>', 'fail, and leave nothing, unless this is the SHA-256 of what is fetched', checked(parseDigest))
    .option('--force', 'replace a file that exists', false)
    .addOption(concurrency())
    .action(async (ids: string[], flags: GetFlags) => done(await get(context, ids, flags)))
  examples(command, [
    'ropewalk get 6f1e0d9c-… -o holiday.mov',
    'ropewalk get 6f1e0d9c-… -o - | tar x'
  ], GET_HELP + TRUST_HELP)
}

function addObjects (program: Command, context: Context, done: (exit: Exit) => void): void {
  const statCommand = connecting(program.command('stat'), '--at')
    .description('print the size of what is stored')
    .argument('<id...>', 'ids, as put has printed them')
    .action(async (ids: string[], flags: ObjectFlags) => done(await stat(context, ids, flags)))
  examples(statCommand, ['ropewalk stat 6f1e0d9c-…', 'ropewalk stat --json $(cut -f1 stored.tsv)'], TRUST_HELP)

  const rmCommand = connecting(program.command('rm'), '--at')
    .description('remove what is stored')
    .argument('<id...>', 'ids, as put has printed them')
    .action(async (ids: string[], flags: ObjectFlags) => done(await rm(context, ids, flags)))
  examples(rmCommand, ['ropewalk rm 6f1e0d9c-…', 'cut -f1 stored.tsv | xargs ropewalk rm'], TRUST_HELP)
}

function addIdentity (program: Command, context: Context, done: (exit: Exit) => void): void {
  const command = program.command('identity')
    .description('print by what other nodes know this one')
    .option('--json', 'print NDJSON, one JSON object a line', false)
    .action(async (flags: { json: boolean }) => done(await identity(context, flags)))
  examples(command, ['ropewalk identity', 'ROPEWALK_STATE=/srv/node ropewalk identity --json'])
}

function addInspect (program: Command, context: Context, done: (exit: Exit) => void): void {
  const protocols = Object.entries(PROTOCOLS)
  const command = program.command('inspect')
    .description('print a recorded byte stream of one direction, a line of JSON for each message')
    .argument('<protocol>', protocols.map(([name, { description }]) => `${name}: ${description}`).join('; '))
    .argument('[file]', 'the recording, or - for standard input', '-')
    .option('--profile <name>', `which wire; ${protocols.map(([name, { profiles }]) => `of ${name}: ${profiles.join(', ')}`).join('; ')} (the first where nothing is said)`)
    .option('--preamble', 'the stream begins with the 16 bytes of the dialer\'s node id', false)
    .option('--token', 'and with a token of 64 bytes after it (which is printed)', false)
    .action(async (protocol: string, file: string, flags: InspectFlags) => done(await inspect(context, protocol, file, flags)))
  examples(command, [
    'ropewalk inspect mdsftp --preamble dialer.bin',
    'xxd -r -p packets.hex | ropewalk inspect mdsftp --profile seed'
  ], INSPECT_HELP)
}

const SERVE_HELP = `
Addresses: mdsftp+tls://HOST:PORT, mdsftp+tcp://HOST:PORT, mdsftp+unix:/PATH;
port 0 is any free port. Each is printed with the node's key, as clients need
it.

Ctrl-C or SIGTERM finishes what is under way, for at most 10 seconds; a second
one ends at once. What was stored survives both, and a loss of power.
`

const PUT_HELP = `
Prints id, size, SHA-256 and name of each file, with tabs between them where the
output is not a terminal. Keep the id: it is the only way back to the file.

The size must be known before the first byte is sent. Standard input is
therefore first copied to a file without a name in the state directory, which
vanishes with the process; --spool-limit bounds it.
`

const GET_HELP = `
A file appears under its name when it is whole, and not before. With -o - the
results go to standard error; what was written when --expect fails cannot be
taken back.
`

const INSPECT_HELP = `
The first byte that breaks the protocol ends it: the last line is then
{"offset":…,"error":{"code":…,"message":…}}, with the offset of the message that
is broken, and the exit code is 1.
`

/** Commander says of every switch that its default is false. */
function describeOption ({ description, defaultValue, defaultValueDescription }: Option): string {
  const usual = defaultValueDescription ?? (defaultValue === undefined || defaultValue === false ? undefined : String(defaultValue))
  return usual === undefined ? description : `${description} (default: ${usual})`
}

function collect (text: string, before: string[] | undefined): string[] {
  return [...before ?? [], text]
}

function collectDigest (text: string, before: string[] | undefined): string[] {
  return [...before ?? [], checked(parseDigest)(text)]
}
