/** Two nodes in memory, and what they keep their files in. */
import { createHash } from 'node:crypto'
import type { Channel } from '@ropewalk/interface'
import { duplexPair, VirtualClock } from '@ropewalk/testing'
import { openNode, type FileSource, type Inbox, type NodeOptions, type OfferedFile, type WarpdriveNode } from '../src/index.ts'

export const ALICE = 'a1'.repeat(32)
export const BOB = 'b2'.repeat(32)

export const sha256 = (): { update (bytes: Uint8Array): void, digest (): Uint8Array } => {
  const hash = createHash('sha256')
  return { update: bytes => { hash.update(bytes) }, digest: () => new Uint8Array(hash.digest()) }
}

export function sha256Of (bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Files by name; a name that ends with `/` is a folder. */
export class MemoryFiles implements FileSource {
  readonly files: Map<string, Uint8Array>
  reads: Array<[string, number]> = []
  links: Record<string, string> = {}

  constructor (files: Record<string, Uint8Array | string>) {
    this.files = new Map(Object.entries(files).map(([name, content]) => [name, typeof content === 'string' ? new TextEncoder().encode(content) : content]))
  }

  async list (): Promise<OfferedFile[]> {
    return [...this.files].map(([key, content]) => {
      const uri = key.replace(/\/$/, '')
      const link = this.links[key]
      return {
        uri, path: uri, size: content.length, isDir: key.endsWith('/'), perm: 0o4755, mime: '', name: uri.split('/').at(-1) as string, mtimeMs: 1_600_000_000_000, source: key,
        ...link === undefined ? {} : { link }
      }
    })
  }

  async * read (source: string, start: number, end: number): AsyncGenerator<Uint8Array> {
    this.reads.push([source, start])
    const bytes = (this.files.get(source) ?? new Uint8Array(0)).subarray(start, end)
    const step = bytes.length > 1_000_000 ? 65_536 : 1000
    for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step)
  }
}

export class MemoryInbox implements Inbox {
  readonly files = new Map<string, { bytes: Uint8Array, mode: number, mtimeMs: number | undefined }>()
  readonly folders = new Map<string, number>()
  readonly parts = new Map<string, Uint8Array[]>()

  async directory (name: string, { mode }: { mode: number }): Promise<void> {
    this.folders.set(name, mode)
  }

  async file (name: string, { peer, offer, mode, mtimeMs, offset }: Parameters<Inbox['file']>[1]): ReturnType<Inbox['file']> {
    const key = `${peer} ${offer} ${name}`
    const kept = offset === 0 ? [] : this.parts.get(key) ?? []
    const pieces = [...kept]
    const length = (): number => pieces.reduce((sum, piece) => sum + piece.length, 0)
    if (length() !== offset) throw new Error(`${length()} != ${offset}`)
    return {
      write: async bytes => { pieces.push(bytes.slice()) },
      finish: async () => { this.files.set(name, { bytes: Uint8Array.from(pieces.flatMap(piece => [...piece])), mode, mtimeMs }) },
      keep: async () => { this.parts.set(key, pieces); return length() },
      abort: async () => { this.parts.delete(key) },
      async * kept () { yield * kept }
    }
  }
}

export interface Pair {
  readonly clock: VirtualClock
  readonly alice: WarpdriveNode
  readonly bob: WarpdriveNode
  readonly files: MemoryFiles
  readonly inbox: MemoryInbox
  /** Every query: who asked, for which port. */
  readonly queries: Array<{ from: string, port: string, at: number, channel: Channel }>
  /** By who they are: whoever is put here is who is asked. */
  readonly nodes: Map<string, WarpdriveNode>
}

/** Alice has files, Bob has an inbox. A query is a pair; the callee learns from it, and from nothing else, who asks. */
export async function pair (content: Record<string, Uint8Array | string>, { alice = {}, bob = {}, inbox = new MemoryInbox() }: { alice?: Partial<NodeOptions>, bob?: Partial<NodeOptions>, inbox?: MemoryInbox } = {}): Promise<Pair> {
  const clock = new VirtualClock(1_700_000_000_000)
  const files = new MemoryFiles(content)
  const nodes = new Map<string, WarpdriveNode>()
  const queries: Pair['queries'] = []
  const query = (from: string): NodeOptions['query'] => async (to, port) => {
    const [left, right] = duplexPair()
    queries.push({ from, port, at: clock.now(), channel: left })
    void nodes.get(to)?.serve(right, from, port)
    return left
  }
  const common = { sha256, clock }
  nodes.set(ALICE, await openNode({ ...common, identity: ALICE, query: query(ALICE), files, inbox: new MemoryInbox(), ...alice }))
  nodes.set(BOB, await openNode({ ...common, identity: BOB, query: query(BOB), files: new MemoryFiles({}), inbox, ...bob }))
  return { clock, files, inbox, queries, nodes, alice: nodes.get(ALICE) as WarpdriveNode, bob: nodes.get(BOB) as WarpdriveNode }
}
