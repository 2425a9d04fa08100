/**
 * Every setting of a node, as data: the file, the environment, the flags, `config show` and docs/configuration.md are all made of this table.
 *
 * @module
 */
import { PROFILE_NAMES } from '../wire.ts'
import { LOG_VARIABLE } from '../observe/log-levels.ts'
import { SWARM_PROFILES } from '../swarm/options.ts'
import { count, KEYS, LEVELS, oneOf, ORIGINS, PATH, RATE, SIZE, SWITCH, TEXT, TEXTS, WAIT, type Kind } from './kinds.ts'
import { PROTOCOLS } from './protocols.ts'

export interface Setting {
  /** `SECTION.NAME`, as in the file. */
  readonly key: string
  readonly kind: Kind
  /** The flag of `serve` that says the same. */
  readonly flag?: string | undefined
  /** Its variable, where that has a name of its own. */
  readonly variable?: string | undefined
  /** Takes effect at SIGHUP; the others at the next start. */
  readonly reloads?: true
  /** What holds where nobody says anything; undefined where nothing does. */
  readonly fallback?: unknown
  readonly about: string
}

/** Connections of one node, at most. Ours. */
const MAX_CONNECTIONS = 65_536

/** Largest upload that is taken unless somebody says otherwise. Ours: the original's 10 MB were for another time. */
export const MAX_UPLOAD_BYTES: number = 1024 ** 3

export const SETTINGS: readonly Setting[] = [
  { key: 'listen', kind: TEXTS, flag: '--listen', about: 'where to listen: "casync+stdio:", alone, for one session of casync on standard input and output; or "mdsftp+tls://HOST:PORT", "mdsftp+tcp://HOST:PORT", "mdsftp+unix:/PATH"; with "yamux" for "mdsftp", for all protocols at once, also as "yamux+wss://HOST:PORT/PATH" and "yamux+ws://HOST:PORT/PATH"; "torronto+tcp://HOST:PORT", as a peer of a swarm' },
  { key: 'certificate', kind: PATH, flag: '--cert', about: 'what TLS shows instead of this machine\'s own certificate' },
  { key: 'key', kind: PATH, flag: '--key', about: 'the key of that certificate' },
  { key: 'allow', kind: KEYS, flag: '--allow', reloads: true, about: 'serve only who has one of these keys' },
  { key: 'tokens', kind: PATH, flag: '--token-file', reloads: true, about: 'serve only who shows one of the tokens in this file' },
  { key: 'allow_anyone', kind: SWITCH, flag: '--allow-anyone', fallback: false, about: 'serve whoever connects, also from other machines' },
  { key: 'allow_plaintext', kind: SWITCH, flag: '--allow-plaintext', fallback: false, about: 'allow listeners without encryption for other machines' },
  { key: 'allow_origins', kind: ORIGINS, flag: '--allow-origin', about: 'web pages that may open a WebSocket: none where nothing is said' },
  { key: 'storage.directory', kind: PATH, flag: '--store', about: 'where objects are kept; in the state directory where nothing is said' },
  { key: 'storage.capacity', kind: SIZE, flag: '--capacity', about: 'store no more than this' },
  { key: 'storage.profile', kind: oneOf(...PROFILE_NAMES as [string, ...string[]]), flag: '--profile', fallback: 'upstream', about: 'the wire of mdsftp addresses that name none' },
  { key: 'uploads.listen', kind: TEXTS, flag: '--ipc', about: 'where uploads with a token come in: "unix:/PATH", "seqpacket:/PATH", "ipc+tls://HOST:PORT"' },
  { key: 'uploads.key', kind: PATH, flag: '--ipc-key', about: 'what their tokens are signed with' },
  { key: 'uploads.directory', kind: PATH, flag: '--ipc-root', about: 'where uploads are kept; in the state directory where nothing is said' },
  { key: 'uploads.max_file', kind: SIZE, flag: '--ipc-max-file', fallback: MAX_UPLOAD_BYTES, about: 'largest file that is taken' },
  { key: 'uploads.audience', kind: TEXT, flag: '--ipc-audience', about: 'take only tokens that are meant for it' },
  { key: 'peers.inbox', kind: PATH, flag: '--inbox', about: 'receive what peers offer, into this directory' },
  { key: 'peers.listen', kind: TEXTS, flag: '--peers', about: 'where peers come in, HOST:PORT; [::]:7741 with an inbox' },
  { key: 'peers.auto_accept', kind: SWITCH, flag: '--auto-accept', reloads: true, fallback: false, about: 'accept by itself what trusted peers offer' },
  { key: 'peers.anyone_may_offer', kind: SWITCH, flag: '--anyone-may-offer', reloads: true, fallback: false, about: 'take offers also from who is not paired' },
  { key: 'peers.discover', kind: SWITCH, flag: '--no-discover', fallback: true, about: 'tell the local network of this node, and listen to it' },
  { key: 'peers.reply_timeout', kind: WAIT, fallback: '20s', about: 'how long a peer may take to answer' },
  { key: 'peers.progress_timeout', kind: WAIT, fallback: '1m', about: 'how long nothing may come of what is received; then it is broken off, and begun anew where it was' },
  { key: 'chunks.directory', kind: PATH, flag: '--chunks', about: 'give indexes, archives and chunks of casync below this folder to whoever may connect, over HTTP and over every "yamux" of "listen"' },
  { key: 'chunks.push', kind: SWITCH, flag: '--chunks-push', fallback: false, about: 'take them too, of who may write; not over HTTP' },
  { key: 'chunks.listen', kind: TEXT, fallback: 'http://127.0.0.1:7745', about: 'where, over HTTP' },
  { key: 'swarm.peers', kind: PATH, flag: '--swarm-peers', about: 'who belongs to the swarm: one "HOST PORT" a line, this node among them' },
  { key: 'swarm.directory', kind: PATH, flag: '--swarm-dir', about: 'where the files of the swarm are; what lies there is offered' },
  { key: 'swarm.profile', kind: oneOf(...SWARM_PROFILES), flag: '--swarm-profile', fallback: 'as-implemented', about: 'what the other peers speak' },
  { key: 'swarm.key', kind: PATH, flag: '--swarm-key', about: 'what all members know, and prove; only with the profile "hardened"' },
  { key: 'web.listen', kind: TEXT, flag: '--web', about: 'show a page of what the node does, with /metrics and /healthz, at HOST:PORT' },
  { key: 'web.tokens', kind: PATH, flag: '--web-token-file', about: 'show it only to who knows a token in this file' },
  { key: 'log.level', kind: LEVELS, flag: '--log-level', variable: LOG_VARIABLE, about: 'how much is logged, as JSON' },
  { key: 'log.file', kind: PATH, flag: '--log-file', about: 'where to log; standard error where nothing is said' },
  { key: 'trust.only_granted', kind: SWITCH, reloads: true, fallback: false, about: 'serve nobody without a grant ("ropewalk grant")' },
  { key: 'limits.up', kind: RATE, reloads: true, fallback: 'off', about: 'bytes a second that leave, all protocols together' },
  { key: 'limits.down', kind: RATE, reloads: true, fallback: 'off', about: 'bytes a second that come, all protocols together' },
  { key: 'limits.peer_up', kind: RATE, reloads: true, fallback: 'off', about: 'bytes a second to any one peer' },
  { key: 'limits.peer_down', kind: RATE, reloads: true, fallback: 'off', about: 'bytes a second from any one peer' },
  ...PROTOCOLS.flatMap(protocol => (['up', 'down'] as const).map((way): Setting => (
    { key: `limits.${protocol}_${way}`, kind: RATE, reloads: true, fallback: 'off', about: `bytes a second ${way === 'up' ? 'out' : 'in'} over ${protocol}` }
  ))),
  { key: 'limits.connections', kind: count(1, MAX_CONNECTIONS), reloads: true, fallback: 1024, about: 'connections of all services together; one more is refused' },
  { key: 'limits.memory', kind: SIZE, reloads: true, about: 'no new connections while the process has more memory than this' },
  { key: 'limits.disk_free', kind: SIZE, reloads: true, fallback: 64 * 1024 ** 2, about: 'no new connections that could write while the disk has less room than this' },
  { key: 'journal.max_size', kind: SIZE, fallback: 4 * 1024 ** 2, about: 'size at which the journal of transfers is put aside and begun anew; the one before is kept' },
  { key: 'audit.max_size', kind: SIZE, fallback: 8 * 1024 ** 2, about: 'size at which the audit log is put aside and begun anew' },
  { key: 'audit.keep', kind: count(0, 1000), fallback: 4, about: 'audit logs put aside that are kept' }
]

/** `ROPEWALK_STORAGE_CAPACITY`. */
export function variableOf ({ key, variable }: Pick<Setting, 'key' | 'variable'>): string {
  return variable ?? `ROPEWALK_${key.toUpperCase().replaceAll('.', '_')}`
}
