/**
 * Commands that move and look at what a storage node keeps.
 *
 * @module
 */
import { type Command, Option } from 'commander'
import { parseDigest, parseRange, parseSize } from '../arguments.ts'
import { get, type GetFlags } from '../commands/get.ts'
import { put, type PutFlags } from '../commands/put.ts'
import { rm } from '../commands/rm.ts'
import { stat } from '../commands/stat.ts'
import type { Context } from '../context.ts'
import type { Exit } from '../exit-codes.ts'
import type { ObjectFlags } from '../objects.ts'
import { checked, concurrency, connecting, examples, TRUST_HELP } from '../options.ts'
import { SPOOL_LIMIT_BYTES } from '../spool.ts'

export function addObjects (program: Command, context: Context, done: (exit: Exit) => void): void {
  addPut(program, context, done)
  addGet(program, context, done)
  addStat(program, context, done)
  addRm(program, context, done)
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

function addStat (program: Command, context: Context, done: (exit: Exit) => void): void {
  const command = connecting(program.command('stat'), '--at')
    .description('print the size of what is stored')
    .argument('<id...>', 'ids, as put has printed them')
    .action(async (ids: string[], flags: ObjectFlags) => done(await stat(context, ids, flags)))
  examples(command, ['ropewalk stat 6f1e0d9c-…', 'ropewalk stat --json $(cut -f1 stored.tsv)'], TRUST_HELP)
}

function addRm (program: Command, context: Context, done: (exit: Exit) => void): void {
  const command = connecting(program.command('rm'), '--at')
    .description('remove what is stored')
    .argument('<id...>', 'ids, as put has printed them')
    .action(async (ids: string[], flags: ObjectFlags) => done(await rm(context, ids, flags)))
  examples(command, ['ropewalk rm 6f1e0d9c-…', 'cut -f1 stored.tsv | xargs ropewalk rm'], TRUST_HELP)
}

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
