/**
 * Commands that move and look at what a storage node keeps.
 *
 * @module
 */
import { type Command, Option } from 'commander'
import { parseDigest, parseRange, parseSeconds, parseSize, RETRY_SECONDS } from '../arguments.ts'
import type { GetFlags } from '../commands/get.ts'
import type { PutFlags } from '../commands/put.ts'
import type { VerifyFlags } from '../commands/verify.ts'
import type { Context } from '../context.ts'
import type { Exit } from '../exit-codes.ts'
import type { ObjectFlags } from '../objects.ts'
import { checked, concurrency, connecting, examples, sizedConcurrency, TRUST_HELP } from '../options.ts'
import { SPOOL_LIMIT_BYTES } from '../spool.ts'

export function addObjects (program: Command, context: Context, done: (exit: Exit) => void): void {
  addPut(program, context, done)
  addGet(program, context, done)
  addStat(program, context, done)
  addRm(program, context, done)
  addVerify(program, context, done)
}

function addPut (program: Command, context: Context, done: (exit: Exit) => void): void {
  const command = connecting(program.command('put'), '--to')
    .description('store files')
    .argument('[file...]', 'files, or - for standard input')
    .option('--durable', 'outlive the loss of the connection, of the node, and of this process', false)
    .option('--resume', 'go on with durable puts that were interrupted: these files, or all', false)
    .option('--retry-for <seconds>', 'how long attempts may bring nothing new', checked(parseSeconds), RETRY_SECONDS)
    .option('-o, --output <path>', 'write a manifest: a file, or a directory (default, with several nodes: here)')
    .option('--force', 'replace a manifest that exists', false)
    .addOption(sizedConcurrency())
    .addOption(new Option('--spool-limit <size>', 'how much of standard input to take').argParser(checked(parseSize)).default(SPOOL_LIMIT_BYTES, '4G'))
    .action(async (files: string[], flags: PutFlags) => done(await (await import('../commands/put.ts')).put(context, files, flags)))
  examples(command, [
    'ropewalk put *.jpg',
    'tar c photos | ropewalk put - --to mdsftp+tls://nas.example:7740#sha256=9f86…',
    'ropewalk put --durable disk.img; ropewalk put --resume',
    'ropewalk put disk.img --to "$A,$B,$C"; ropewalk get disk.img.ropewalk'
  ], PUT_HELP + TRUST_HELP)
}

function addGet (program: Command, context: Context, done: (exit: Exit) => void): void {
  const command = connecting(program.command('get'), '--from')
    .description('fetch files')
    .argument('<id...>', 'ids, as put has printed them, or manifests')
    .option('-o, --output <path>', 'a file, a directory, or - for standard output (default: here, named by its id)')
    .option('--range <a-b>', 'only bytes A up to, but without, B; A- for the rest', checked(parseRange))
    .option('--expect <sha256>', 'fail, and leave nothing, unless this is the SHA-256 of what is fetched', checked(parseDigest))
    .option('--force', 'replace a file that exists', false)
    .option('--resume', 'keep what came of a file that is not finished, and go on with it', false)
    .addOption(sizedConcurrency())
    .action(async (ids: string[], flags: GetFlags) => done(await (await import('../commands/get.ts')).get(context, ids, flags)))
  examples(command, [
    'ropewalk get 6f1e0d9c-… -o holiday.mov',
    'ropewalk get 6f1e0d9c-… -o - | tar x',
    'ropewalk get disk.img.ropewalk --range 0-1048576'
  ], GET_HELP + TRUST_HELP)
}

function addStat (program: Command, context: Context, done: (exit: Exit) => void): void {
  const command = connecting(program.command('stat'), '--at')
    .description('print the size of what is stored')
    .argument('<id...>', 'ids, as put has printed them, or manifests')
    .action(async (ids: string[], flags: ObjectFlags) => done(await (await import('../commands/stat.ts')).stat(context, ids, flags)))
  examples(command, ['ropewalk stat 6f1e0d9c-…', 'ropewalk stat --json $(cut -f1 stored.tsv)'], TRUST_HELP)
}

function addRm (program: Command, context: Context, done: (exit: Exit) => void): void {
  const command = connecting(program.command('rm'), '--at')
    .description('remove what is stored')
    .argument('<id...>', 'ids, as put has printed them, or manifests: the parts go, the file itself stays')
    .action(async (ids: string[], flags: ObjectFlags) => done(await (await import('../commands/rm.ts')).rm(context, ids, flags)))
  examples(command, ['ropewalk rm 6f1e0d9c-…', 'cut -f1 stored.tsv | xargs ropewalk rm'], TRUST_HELP)
}

function addVerify (program: Command, context: Context, done: (exit: Exit) => void): void {
  const command = connecting(program.command('verify'), '--at')
    .description('tell whether what is stored is what was stored')
    .argument('[id...]', 'ID=SHA256, as put has printed them, or manifests; with --store, ids')
    .option('--store <directory>', 'a store whose node is stopped: against the SHA-256 that the node keeps')
    .addOption(concurrency())
    .action(async (ids: string[], flags: VerifyFlags) => done(await (await import('../commands/verify.ts')).verify(context, ids, flags)))
  examples(command, [
    'ropewalk verify disk.img.ropewalk',
    'ropewalk verify $(awk \'{print $1"="$3}\' stored.tsv)',
    'ropewalk verify --store /srv/objects'
  ], VERIFY_HELP + TRUST_HELP)
}

const VERIFY_HELP = `
A node cannot be asked for the SHA-256 that it keeps: the wire has no words for
it. So every byte is fetched and compared with the one that put has printed,
which also finds what went wrong before the node had it. A node that runs
compares what it has with its own once a week; --store does it at once.
`

const PUT_HELP = `
Prints id, size, SHA-256 and name of each file, with tabs between them where the
output is not a terminal. Keep the id: it is the only way back to the file.

The size must be known before the first byte is sent. Standard input is
therefore first copied to a file without a name in the state directory, which
vanishes with the process; --spool-limit bounds it.

A durable put goes on by itself when the connection or the node is lost, and
with --resume after it was killed itself, where the node has it: nodes keep what
they have for an hour. At most one window is sent, or hashed, twice.

Several nodes, with commas between them, share each file by the room they have.
What they have of it stands in a manifest, NAME.ropewalk, which get, stat, rm
and verify take in place of an id. Whoever has it can read the file.
`

const GET_HELP = `
A file appears under its name when it is whole, and not before. With -o - the
results go to standard error; what was written when --expect fails cannot be
taken back.

The parts of a manifest come at the same time, each from its node, and are
checked. What an interruption leaves of them is kept in .NAME.ropewalk-part, and
the same command goes on with it; of an id only with --resume, both times.
`
