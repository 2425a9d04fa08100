/**
 * The command that reads recorded byte streams.
 *
 * @module
 */
import type { Command } from 'commander'
import type { InspectFlags } from '../commands/inspect.ts'
import type { Context } from '../context.ts'
import type { Exit } from '../exit-codes.ts'
import { PROTOCOLS } from '../inspect/protocols.ts'
import { examples } from '../options.ts'

export function addInspect (program: Command, context: Context, done: (exit: Exit) => void): void {
  const protocols = Object.entries(PROTOCOLS)
  const command = program.command('inspect')
    .description('print a recorded byte stream of one direction, a line of JSON for each message')
    .argument('<protocol>', protocols.map(([name, { description }]) => `${name}: ${description}`).join('; '))
    .argument('[file]', 'the recording, or - for standard input', '-')
    .option('--profile <name>', `which wire; ${protocols.map(([name, { profiles }]) => `of ${name}: ${profiles.join(', ')}`).join('; ')} (the first where nothing is said)`)
    .option('--port <name>', `which port was asked for; ${protocols.filter(([, { ports }]) => ports).map(([name, { ports = [] }]) => `of ${name}: ${ports.join(', ')}`).join('; ')} (the one for remote nodes where nothing is said)`)
    .option('--asked <file>', 'of warpdrive: the recorded other direction, which the stream answers; replies do not tell themselves what they are')
    .option('--preamble', 'the stream begins with the 16 bytes of the dialer\'s node id', false)
    .option('--token', 'and with a token of 64 bytes after it (which is printed)', false)
    .action(async (protocol: string, file: string, flags: InspectFlags) => done(await (await import('../commands/inspect.ts')).inspect(context, protocol, file, flags)))
  examples(command, [
    'ropewalk inspect mdsftp --preamble dialer.bin',
    'xxd -r -p packets.hex | ropewalk inspect mdsftp --profile seed',
    'ropewalk inspect warpdrive --profile seed --port warpdrive-local c2s.bin',
    'ropewalk inspect warpdrive --asked c2s.bin s2c.bin'
  ], INSPECT_HELP)
}

const INSPECT_HELP = `
The first byte that breaks the protocol ends it: the last line is then
{"offset":…,"error":{"code":…,"message":…}}, with the offset of the message that
is broken, and the exit code is 1.
`
