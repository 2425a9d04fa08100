/**
 * Commands that read and write what casync reads and writes. Options are named as casync's where it has them.
 *
 * @module
 */
import { type Command, Option } from 'commander'
import { parseSize } from '../arguments.ts'
import { parseKind } from '../casync/kind.ts'
import type { DiffFlags } from '../commands/casync-diff.ts'
import type { DigestFlags } from '../commands/casync-digest.ts'
import type { ExtractFlags } from '../commands/casync-extract.ts'
import type { GcFlags } from '../commands/casync-gc.ts'
import type { ListFlags } from '../commands/casync-list.ts'
import type { MakeFlags } from '../commands/casync-make.ts'
import type { PullFlags } from '../commands/casync-pull.ts'
import type { PushFlags } from '../commands/casync-push.ts'
import type { CasyncServeFlags } from '../commands/casync-serve.ts'
import type { StatFlags } from '../commands/casync-stat.ts'
import type { VerifyFlags } from '../commands/casync-verify.ts'
import type { Context } from '../context.ts'
import type { Exit } from '../exit-codes.ts'
import { checked, collect, examples } from '../options.ts'
import { likeCasync } from './casync-only.ts'

type Done = (exit: Exit) => void

export function addCasync (program: Command, context: Context, done: Done): void {
  const casync = program.command('casync')
    .description('chunks, indexes and stores of casync and desync')
    .helpCommand('help [command]', 'print the help of a command')
  examples(casync, [
    'ropewalk casync make image.caibx image.raw',
    'ropewalk casync extract nas.example:/srv/image.caibx image.raw'
  ], CASYNC_HELP)
  addMaking(casync, context, done)
  addMoving(casync, context, done)
  addLooking(casync, context, done)
  addKeeping(casync, context, done)
}

function addMaking (casync: Command, context: Context, done: Done): void {
  const make = likeCasync(recording(storing(casync.command('make'))))
    .description('make an index of a file or a folder, and put its chunks into a store; or an archive')
    .argument('<index>', 'what to make: NAME.caibx of a file, NAME.caidx of a folder, NAME.catar an archive of it; HOST:NAME makes it there')
    .argument('[path]', 'a file or a block device, - for standard input; a folder (the working directory where nothing is said)')
    .addOption(what())
    .addOption(new Option('--chunk-size <[min:]avg[:max]>', 'bytes in a chunk: an average, or MIN:AVG:MAX').default('auto', '16K:64K:256K'))
    .addOption(digest())
    .addOption(new Option('--compression <name>', 'how chunks are compressed; xz can be read only').choices(['zstd', 'gzip']).default('zstd'))
    .action(async (index: string, file: string | undefined, flags: MakeFlags) => done(await (await import('../commands/casync-make.ts')).casyncMake(context, index, file, flags)))
  examples(make, ['ropewalk casync make image.caibx image.raw', 'ropewalk casync make --store=nas:/srv/default.castr nas:/srv/image.caibx /dev/vda'])

  const extract = likeCasync(recording(storing(casync.command('extract'))))
    .description('write what an index describes')
    .argument('<index>', 'an index or an archive: a path, HOST:PATH or a URL')
    .argument('[path]', 'the file or block device to write, - for standard output; the folder to make')
    .addOption(what())
    .addOption(cache())
    .option('--seed <path>', 'a file or a block device, of trees a folder or an archive, that may have some of the chunks; several times for several', collect)
    .addOption(yesNo('--seed-output', 'take what is at the output for a seed too', true))
    .addOption(yesNo('--delete', 'with --in-place, remove from a folder what the archive does not have', true))
    .option('--in-place', 'write into the output itself: until the end it is neither old nor new', false)
    .action(async (index: string, file: string | undefined, flags: ExtractFlags) => done(await (await import('../commands/casync-extract.ts')).casyncExtract(context, index, file, flags)))
  examples(extract, ['ropewalk casync extract image.caibx image.raw', 'ropewalk casync extract --seed=image-1.raw https://example.org/image-2.caibx image-2.raw'], EXTRACT_HELP)
}

function addMoving (casync: Command, context: Context, done: Done): void {
  const pull = storing(casync.command('pull'))
    .description('copy an index and the chunks that are not here yet, or an archive')
    .argument('<index>', 'where it is: HOST:PATH, ADDRESS::PATH at a node, a URL or a path')
    .argument('<to>', 'a file or a folder here')
    .addOption(what())
    .addOption(cache())
    .option('--to-store <directory>', 'where chunks go (default: default.castr beside the copy)')
    .action(async (index: string, to: string, flags: PullFlags) => done(await (await import('../commands/casync-pull.ts')).casyncPull(context, index, to, flags)))
  examples(pull, ['ropewalk casync pull nas.example:/srv/image.caibx images/', 'ropewalk casync pull https://example.org/image.caibx .'])

  const push = storing(casync.command('push'))
    .description('give an index and the chunks that are asked for, or an archive, to another host')
    .argument('<index>', 'where it is here')
    .argument('<to>', 'HOST:PATH, or ADDRESS::PATH at a node')
    .addOption(what())
    .addOption(cache())
    .option('--to-store <host:directory>', 'where chunks go (default: default.castr beside the copy)')
    .action(async (index: string, to: string, flags: PushFlags) => done(await (await import('../commands/casync-push.ts')).casyncPush(context, index, to, flags)))
  examples(push, ['ropewalk casync push image.caibx nas.example:/srv/image.caibx', 'ropewalk casync push --rate-limit-bps=1M tree.catar nas.example:tree.catar'])

  const serve = casync.command('serve')
    .description('give chunks, indexes and archives below a folder to whoever asks over HTTP')
    .argument('[directory]', 'the folder', '.')
    .option('--listen <address>', 'where to listen; port 0 is any free one', 'http://127.0.0.1:7741')
    .option('--allow-anyone', 'listen for other machines: whoever connects may read everything', false)
    .addOption(json())
    .action(async (directory: string, flags: CasyncServeFlags) => done(await (await import('../commands/casync-serve.ts')).casyncServe(context, directory, flags)))
  examples(serve, ['ropewalk casync serve /srv/images', 'ropewalk casync serve --listen http://0.0.0.0:8080 --allow-anyone /srv/images'])
}

function addLooking (casync: Command, context: Context, done: Done): void {
  const digests = recording(storing(casync.command('digest')))
    .description('print the digest of a file, of the archive that a folder would be, or of what an index describes')
    .argument('<name>', 'a file, a folder, an archive or an index; - is standard input')
    .addOption(what())
    .addOption(cache())
    .addOption(digest())
    .action(async (name: string, flags: DigestFlags) => done(await (await import('../commands/casync-digest.ts')).casyncDigest(context, name, flags)))
  examples(digests, ['ropewalk casync digest image.caibx', 'ropewalk casync digest --digest=sha256 image.raw'])

  for (const [form, description] of [['list', 'print the names in a folder, an archive or an index of one'], ['mtree', 'print everything that is recorded of them, in the format of mtree(5)']] as const) {
    const list = recording(storing(casync.command(form)))
      .description(description)
      .argument('[name]', 'a folder, an archive or an index', '.')
      .addOption(what())
      .addOption(cache())
      .addOption(digest())
      .action(async (name: string, flags: ListFlags) => done(await (await import('../commands/casync-list.ts')).casyncList(context, name, flags, form)))
    examples(list, [`ropewalk casync ${form} tree.caidx`, `ropewalk casync ${form} --with=unix photos/`])
  }

  const stat = storing(casync.command('stat'))
    .description('print what an index says of itself')
    .argument('<index>', 'the index')
    .addOption(what())
    .action(async (index: string, flags: StatFlags) => done(await (await import('../commands/casync-stat.ts')).casyncStat(context, index, flags)))
  examples(stat, ['ropewalk casync stat image.caibx', 'ropewalk casync stat --json nas.example:/srv/image.caibx'])

  const verify = storing(casync.command('verify'))
    .description('look at every chunk of an index in its stores, or at a file by its index')
    .argument('<index>', 'the index')
    .argument('[file]', 'look at this in place of the stores')
    .addOption(what())
    .action(async (index: string, file: string | undefined, flags: VerifyFlags) => done(await (await import('../commands/casync-verify.ts')).casyncVerify(context, index, file, flags)))
  examples(verify, ['ropewalk casync verify image.caibx', 'ropewalk casync verify image.caibx image.raw'], VERIFY_HELP)

  const diff = recording(storing(casync.command('diff')))
    .description('compare two blobs by their chunks, or two trees by their paths')
    .argument('<first>', 'an index or a file; of trees, a folder, an archive or an index')
    .argument('<second>', 'the other one')
    .addOption(digest())
    .action(async (first: string, second: string, flags: DiffFlags) => done(await (await import('../commands/casync-diff.ts')).casyncDiff(context, first, second, flags)))
  examples(diff, ['ropewalk casync diff image-1.caibx image-2.caibx', 'ropewalk casync diff photos.caidx photos/'], DIFF_HELP)
}

function addKeeping (casync: Command, context: Context, done: Done): void {
  const gc = storing(casync.command('gc'))
    .description('remove chunks that none of the indexes names')
    .argument('<index...>', 'every index whose chunks shall stay; of a folder, all in it and below it when the collection begins')
    .option('-n, --dry-run', 'only say what would be removed', false)
    .addOption(new Option('--younger-than <minutes>', 'spare what is younger: for a make of casync or desync that runs beside').argParser(checked(minutes)))
    .action(async (indexes: string[], flags: GcFlags) => done(await (await import('../commands/casync-gc.ts')).casyncGc(context, indexes, flags)))
  examples(gc, ['ropewalk casync gc --dry-run *.caibx', 'ropewalk casync gc /srv'])
}

/** What every command takes that knows stores. */
function storing (command: Command): Command {
  return command
    .option('--store <path>', 'the store (default: $CASYNC_STORE, else default.castr beside the index)')
    .option('--extra-store <path>', 'a further store to look in; several times for several', collect)
    .addOption(new Option('--rate-limit-bps <n>', 'at most so many bytes a second over the network').argParser(checked(positive)))
    .addOption(json())
}

/** What is recorded of a tree. */
function recording (command: Command): Command {
  return command
    .option('--with <feature>', 'record this of files, or this set: best, unix, fat, …; several times for several', collect)
    .option('--without <feature>', 'and not this', collect)
    .addOption(yesNo('--exclude-nodump', 'leave out what chattr +d marks', true))
    .addOption(yesNo('--exclude-submounts', 'leave out other file systems', false))
    .addOption(yesNo('--exclude-file', 'heed .caexclude files', true))
}

function what (): Option {
  return new Option('--what <kind>', 'what the first name stands for, whatever its ending').argParser(checked(parseKind))
}

function digest (): Option {
  return new Option('--digest <name>', 'what chunks are named by').choices(['sha512-256', 'sha256']).default('sha512-256')
}

function cache (): Option {
  return new Option('--cache <directory>', 'a store of this machine that is asked first, and keeps what the others give')
}

function json (): Option {
  return new Option('--json', 'print NDJSON, one JSON object a line').default(false)
}

/** `--name`, `--name=yes`, `--name=no`. */
function yesNo (flag: string, description: string, usual: boolean): Option {
  return new Option(`${flag} [yes|no]`, description).default(usual, usual ? 'yes' : 'no').preset(true).argParser(checked((text: string) => {
    if (/^(yes|y|true|on|1)$/i.test(text)) return true
    if (/^(no|n|false|off|0)$/i.test(text)) return false
    throw new RangeError('yes or no')
  }))
}

function minutes (text: string): number {
  const value = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text)) throw new RangeError('a number of minutes')
  return value * 60_000
}

function positive (text: string): number {
  const bytes = parseSize(text)
  if (bytes < 1) throw new RangeError('at least 1')
  return bytes
}

const CASYNC_HELP = `
Names are paths, [USER@]HOST:PATH, or URLs. A host is reached through ssh, where
it runs casync, or what CASYNC_REMOTE_PATH says; "ropewalk-casync" is ours. At a
node with --chunks they are ADDRESS::PATH: yamux+tls://nas:7740::images/a.caibx.
`

const EXTRACT_HELP = `
The output appears, or is exchanged, when all of it is there. Whatever ends the
command before, the next one goes on where it was: what is done lies in
.#NAME.part beside the output.
`

const VERIFY_HELP = `
A line for each chunk that is missing or damaged, then what it comes to; the
exit code is 1 when there is any.
`

const DIFF_HELP = `
A line for each stretch of the second that is not at the same place of the
first, then what both have. Of trees a line for each path that only one of them
has, or that differs, and in what. The exit code is 1 when they differ.
`
