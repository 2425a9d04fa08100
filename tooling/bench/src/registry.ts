/**
 * Who can be measured.
 *
 * @module
 */
import { goCommand, missingGo } from './subjects/go.ts'
import type { Subject } from './subject.ts'

export interface Entry {
  readonly about: string
  /** The cases that it is for; absent means all. */
  readonly cases?: readonly string[]
  /** Why it cannot run here; undefined when it can. */
  readonly missing?: () => Promise<string | undefined>
  /**
   * The program that plays a role, speaking the JSON lines of `orders.ts` on its standard streams. Absent: `player.ts`
   * with the subject below. A peer in another language joins here.
   */
  readonly command?: (role: 'server' | 'client') => [file: string, ...args: string[]]
  readonly load?: () => Promise<Subject>
}

/** By name, in the order of the table. The first is what the others are compared with. */
export const SUBJECTS: Readonly<Record<string, Entry>> = {
  raw: { about: 'net.Socket, one connection a stream', load: async () => (await import('./subjects/raw.ts')).raw('tcp') },
  ropewalk: { about: 'muxer-mdsftp over tcp, async iterables', load: async () => (await import('./subjects/ropewalk.ts')).ropewalk() },
  'ropewalk-sync': {
    about: 'the same, the receiver taking bytes as they arrive',
    cases: ['bulk-1', 'bulk-100', 'small-1', 'small-100'],
    load: async () => (await import('./subjects/ropewalk.ts')).ropewalk({ consume: 'receive' })
  },
  'ropewalk-tls': { about: 'muxer-mdsftp over TLS 1.3', load: async () => (await import('./subjects/ropewalk.ts')).ropewalk({ transport: 'tls' }) },
  'ropewalk-yamux': { about: 'muxer-yamux over tcp, async iterables', load: async () => (await import('./subjects/ropewalk.ts')).ropewalk({ muxer: 'yamux' }) },
  'raw-unix': { about: 'net.Socket on a unix path', load: async () => (await import('./subjects/raw.ts')).raw('unix') },
  'raw-tls': { about: 'tls.TLSSocket, TLS 1.3', load: async () => (await import('./subjects/raw.ts')).raw('tls') },
  yamux: { about: '@chainsafe/libp2p-yamux 8 as it comes', load: async () => (await import('./subjects/yamux.ts')).yamux },
  'go-yamux': { about: 'hashicorp/yamux, both sides in Go', missing: missingGo, command: goCommand },
  http2: { about: 'node:http2, windows of 1 MiB', load: async () => (await import('./subjects/http2.ts')).http2 },
  ws: { about: 'ws, one connection a stream', load: async () => (await import('./subjects/ws.ts')).ws }
}

/** What every ratio is a ratio to, unless a row says otherwise; and whom the goals are for. In both suites. */
export const BASELINE = 'raw'
export const OURS = 'ropewalk'
