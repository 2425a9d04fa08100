/**
 * Commands of uploads with a token.
 *
 * @module
 */
import { type Command, Option } from 'commander'
import { parseDuration } from '../arguments.ts'
import type { DownloadFlags } from '../commands/download.ts'
import type { IssueFlags } from '../commands/token.ts'
import type { UploadFlags } from '../commands/upload.ts'
import type { Context } from '../context.ts'
import type { Exit } from '../exit-codes.ts'
import { checked, collect, concurrency, examples } from '../options.ts'

export function addUploads (program: Command, context: Context, done: (exit: Exit) => void): void {
  addUpload(program, context, done)
  addDownload(program, context, done)
  addToken(program, context, done)
}

function addUpload (program: Command, context: Context, done: (exit: Exit) => void): void {
  const command = withToken(program.command('upload'), '--to')
    .description('send files with a token, block by block; what broke off goes on')
    .argument('<file...>', 'files')
    .option('--tag <tag>', 'label for the files; several times for several', collect)
    .addOption(new Option('--profile <name>', 'readme: windows, and gaps that are named; final: as the original, one block of 1000 bytes at a time').choices(['readme', 'final']).default('readme'))
    .addOption(framing())
    .addOption(concurrency())
    .action(async (files: string[], flags: UploadFlags) => done(await (await import('../commands/upload.ts')).upload(context, files, flags)))
  examples(command, [
    'ropewalk upload holiday.mov --to unix:/run/uploads.sock --token token.jwt',
    'ropewalk upload *.log --to ipc+tls://nas.example#sha256=9f86… --token t.jwt --tag logs'
  ], UPLOAD_HELP)
}

function addDownload (program: Command, context: Context, done: (exit: Exit) => void): void {
  const command = withToken(program.command('download'), '--from')
    .description('fetch what was uploaded')
    .argument('<digest-or-name...>', 'SHA-256 of the content, or names')
    .option('-o, --output <path>', 'a file, a directory, or - for standard output (default: here, under its own name)')
    .option('--tag <tag>', 'only what has this label; several times for several', collect)
    .option('--force', 'replace a file that exists', false)
    .addOption(framing())
    .addOption(concurrency())
    .action(async (wanted: string[], flags: DownloadFlags) => done(await (await import('../commands/download.ts')).download(context, wanted, flags)))
  examples(command, [
    'ropewalk download holiday.mov --from unix:/run/uploads.sock --token token.jwt',
    'ropewalk download 9f86d081… --from unix:/run/uploads.sock --token t.jwt -o - | tar x'
  ], DOWNLOAD_HELP)
}

function addToken (program: Command, context: Context, done: (exit: Exit) => void): void {
  const family = program.command('token').description('tokens for uploads')
  const command = family.command('issue')
    .description('make a token')
    .requiredOption('--user <name:uid>', 'whose it is: a name, and the number that owns the files')
    .requiredOption('--ttl <time>', 'how long it is good for: 90s, 15m, 12h, 7d', checked(parseDuration))
    .requiredOption('--key <file>', 'what it is signed with: a shared secret (HS256), or a private key (RS256, ES256, EdDSA)')
    .option('--audience <name>', 'for whom it is meant')
    .option('-o, --output <file>', 'where it goes, readable for you alone (default: standard output)')
    .option('--json', 'print NDJSON, one JSON object a line', false)
    .action(async (flags: IssueFlags) => done(await (await import('../commands/token.ts')).issue(context, flags)))
  examples(command, [
    'ropewalk token issue --user ada:1002 --ttl 12h --key ipc.key -o token.jwt',
    'ropewalk token issue --user ada:1002 --ttl 15m --key private.pem --audience nas > t.jwt'
  ], TOKEN_HELP)
  examples(family, ['ropewalk token issue --user ada:1002 --ttl 12h --key ipc.key -o token.jwt', 'ropewalk token issue --help'])
}

function withToken (command: Command, flag: '--to' | '--from'): Command {
  return command
    .requiredOption(`${flag} <address>`, 'the server: unix:/PATH, seqpacket:/PATH, or ipc+tls://HOST[:PORT][#sha256=KEY]')
    .requiredOption('--token <file>', 'the file that holds the token, or - for standard input')
    .option('--trust', 'trust a server that is not known yet, and keep its key', false)
    .option('--json', 'print NDJSON, one JSON object a line', false)
}

function framing (): Option {
  return new Option('--framing <name>', 'of streams; stream6: a header of 6 bytes; stream4: of the original\'s stream era').choices(['stream6', 'stream4']).default('stream6')
}

const UPLOAD_HELP = `
Prints SHA-256, size and name of each file that is whole at the server, with
tabs between them where the output is not a terminal.

A block that is acknowledged is on the server's disk. After a lost connection
the upload goes on by itself; after Ctrl-C, or with a fresh token, the same
command sends only what is missing. A server keeps what is not whole for 7 days.
`

const DOWNLOAD_HELP = `
By digest and by name: what was sent with --profile final is there for every
user, what was sent otherwise for the one who sent it. A file appears under its
name when it is whole and has its digest.
`

const TOKEN_HELP = `
Make a shared secret with "head -c 32 /dev/urandom | base64 > ipc.key", a pair
of keys with "openssl genpkey -algorithm ed25519 -out private.pem" and "openssl
pkey -in private.pem -pubout -out public.pem"; "ropewalk serve --ipc-key" takes
ipc.key, public.pem or a JWKS. Give tokens a short life: who has one may use it.
`
