/**
 * Commands of the node itself.
 *
 * @module
 */
import { type Command, Option } from 'commander'
import { parseCount, parseDigest, parseOrigin, parseSize } from '../arguments.ts'
import type { ServeFlags } from '../commands/serve.ts'
import { TOKEN_VARIABLE, type Context } from '../context.ts'
import type { Exit } from '../exit-codes.ts'
import { loadSmall } from '../heap.ts'
import { LEVELS, LOG_VARIABLE, parseLevels } from '../observe/log-levels.ts'
import { checked, collect, examples, profile } from '../options.ts'
import { SWARM_PROFILES } from '../swarm/options.ts'

export function addNode (program: Command, context: Context, done: (exit: Exit) => void): void {
  addServe(program, context, done)
  addIdentity(program, context, done)
}

function addServe (program: Command, context: Context, done: (exit: Exit) => void): void {
  const command = program.command('serve')
    .description('run a node until Ctrl-C')
    .argument('[words...]', 'with --listen casync+stdio: what casync asks its other end for (pull - - INDEX STORE)')
    .option('--config <file>', 'read settings from this file too ("ropewalk config show" lists them)')
    .option('--listen <address>', 'where to listen; can be given several times (default: mdsftp+tls://127.0.0.1:7740)', collect)
    .option('--store <directory>', 'where to keep what is stored (default: in the state directory)')
    .option('--capacity <size>', 'store no more than this, for instance 20G', checked(parseSize))
    .option('--max-connections <n>', 'connections to the storage node at once (default: 256)', checked(parseCount))
    .option('--allow <fingerprint>', 'serve only who has this key ("ropewalk identity" prints it); several times for several', collectDigest)
    .option('--cert <file>', 'show this certificate instead of an own one, for clients with --ca')
    .option('--key <file>', 'its key')
    .option('--token-file <file>', `serve only who shows a token that is in this file (or in ${TOKEN_VARIABLE})`)
    .addOption(profile())
    .option('--allow-anyone', 'serve whoever connects, also from other machines', false)
    .option('--allow-plaintext', 'allow tcp and ws without TLS for other machines', false)
    .option('--allow-origin <origin>', 'let pages of this web site, https://HOST, open a WebSocket; several times for several (default: none may)', collectOrigin)
    .option('--ipc <address>', 'take uploads with a token there: unix:/PATH, seqpacket:/PATH, or ipc+tls://HOST:PORT; several times for several', collect)
    .option('--ipc-key <file>', 'what their tokens are signed with: a shared secret, a public key, or a JWKS')
    .option('--ipc-root <directory>', 'where uploads are kept (default: in the state directory)')
    .option('--ipc-max-file <size>', 'largest file that is taken (default: 1G)', checked(parseSize))
    .option('--ipc-audience <name>', 'take only tokens that are meant for it')
    .option('--chunks <directory>', 'give indexes, archives and chunks of casync below this folder, over HTTP and over each listener for several protocols')
    .option('--chunks-push', 'take what is pushed there too', false)
    .option('--inbox <directory>', 'receive what peers offer, into this directory')
    .option('--peers <address>', 'where peers come in: HOST:PORT; several times for several (default: [::]:7741, with --inbox)', collect)
    .option('--auto-accept', 'accept by itself what trusted peers offer', false)
    .option('--anyone-may-offer', 'take offers also from who is not paired', false)
    .option('--no-discover', 'neither tell the local network of this node nor listen to it')
    .option('--pair', 'put a code out at once, as "ropewalk pair" does', false)
    .option('--swarm-peers <file>', 'with --listen torronto+tcp://HOST:PORT: who belongs to the swarm, one "HOST PORT" a line')
    .option('--swarm-dir <directory>', 'where the files of the swarm are; what lies there is offered')
    .addOption(new Option('--swarm-profile <name>', 'what the other peers speak (default: as-implemented)').choices(SWARM_PROFILES))
    .option('--swarm-key <file>', 'what all members know, and prove; only with --swarm-profile hardened')
    .option('--web [address]', 'show a page of what the node does, with /metrics and /healthz: HOST:PORT (default: 127.0.0.1:7780)')
    .option('--web-token-file <file>', 'show it only to who knows a token that is in this file; needed for other machines')
    .option('--log-level <levels>', `log as JSON: ${LEVELS.join(', ')}, or info,mdsftp=debug for a module (or in ${LOG_VARIABLE})`, checked(parseLevels))
    .option('--log-file <file>', 'where to log, readable for you alone (default: standard error)')
    .option('--json', 'print NDJSON, one JSON object a line', false)
    .action(async (words: string[], flags: Readonly<Record<string, unknown>>) => done(await (await loadSmall(() => import('../commands/serve.ts'))).serve(context, given(command, flags), words)))
  examples(command, [
    'ropewalk serve',
    'ropewalk serve --inbox Inbox --web',
    'ropewalk serve --config node.toml',
    'ropewalk serve --listen mdsftp+tls://0.0.0.0:7740 --allow sha256=9f86…',
    'ropewalk serve --cert nas/cert.pem --key nas/key.pem --token-file tokens \\',
    '    --listen mdsftp+tls://0.0.0.0:7740',
    'ropewalk serve --listen mdsftp+unix:/run/ropewalk.sock --store /srv/objects',
    'ropewalk serve --ipc unix:/run/uploads.sock --ipc-key ipc.key',
    'ropewalk serve --chunks /srv/images --listen yamux+tls://0.0.0.0:7740',
    'ropewalk serve --chunks images --listen casync+stdio:a.caibx',
    'ropewalk serve --listen torronto+tcp://10.0.0.2:7750 --allow-plaintext \\',
    '    --swarm-peers peers.txt --swarm-dir shared'
  ], SERVE_HELP)
}

function addIdentity (program: Command, context: Context, done: (exit: Exit) => void): void {
  const command = program.command('identity')
    .description('print by what other nodes know this one')
    .option('--json', 'print NDJSON, one JSON object a line', false)
    .action(async (flags: { json: boolean }) => done(await (await import('../commands/identity.ts')).identity(context, flags)))
  examples(command, ['ropewalk identity', 'ROPEWALK_STATE=/srv/node ropewalk identity --json'])
}

const SERVE_HELP = `
Addresses: mdsftp+tls://HOST:PORT, mdsftp+tcp://HOST:PORT, mdsftp+unix:/PATH;
port 0 is any free port. Each is printed with the node's key, as clients need
it. With yamux for mdsftp, all that the node speaks goes over one port; so it
does over yamux+wss://HOST:PORT/PATH and yamux+ws://HOST:PORT/PATH, which are
WebSockets, for ways that let nothing else through. casync+stdio:[NAME] is one
session of casync on standard input and output, for ssh, inetd or systemd to
start: of NAME, or of what the words, or sshd, say. With --ipc alone there is no
storage node: --listen adds one. An address that ends in ?profile=seed speaks
that wire whatever the others do, and ?peer=upstream spares nodes of the
original what stops them for good.
torronto+tcp://HOST:PORT makes the node a peer of a swarm, as "ropewalk swarm
join" does; it leaves when the node stops.

A token file has a token a line (64 letters and digits: "openssl rand -hex 32"
makes one), or a node id and a token that is good for that node alone.

Ctrl-C or SIGTERM finishes what is under way, for at most 10 seconds; a second
one ends at once. What was stored survives both, and a loss of power.
`

/** What was typed, and not what commander puts there by itself: that would go before the file. */
function given (command: Command, flags: Readonly<Record<string, unknown>>): ServeFlags {
  return Object.fromEntries(Object.entries(flags).filter(([name]) => command.getOptionValueSource(name) === 'cli'))
}

function collectOrigin (text: string, before: string[] | undefined): string[] {
  return collect(checked(parseOrigin)(text), before)
}

function collectDigest (text: string, before: string[] | undefined): string[] {
  return collect(checked(parseDigest)(text), before)
}
