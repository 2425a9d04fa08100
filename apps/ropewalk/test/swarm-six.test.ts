/** Six peers, each a process: the files whose copies come out damaged of the original, whole at all of them, in every profile. */
import { randomBytes } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { folder } from './processes.ts'
import { swarm, type Peer } from './swarm-peers.ts'

const SIZES = [0, 1, 65535, 65536, 65537, 131073, 200000]

/** Ends of files that the wire of the original cannot tell from its padding. */
const CORPUS: ReadonlyMap<string, Buffer> = new Map([
  ...SIZES.map(size => [`size-${size}`, randomBytes(size)] as const),
  ...SIZES.slice(1).map(size => [`all-nul-${size}`, Buffer.alloc(size)] as const),
  ...[1, 500, 65_536].map(nuls => [`nul-tail-${nuls}`, Buffer.concat([randomBytes(70_000), Buffer.alloc(nuls)])] as const),
  ['nul-head', Buffer.concat([Buffer.alloc(70_000), randomBytes(70_000)])]
])

/** What a peer that was written from the README alone would damage: between peers that only know each other so, it is not told of. */
const isFragile = (content: Buffer): boolean => content.length === 0 || content.at(-1) === 0

for (const profile of ['as-implemented', 'documented', 'hardened']) {
  t.test(`${profile}: each of six brings a part of the corpus, and all six have all of it that the wire carries`, async t => {
    const peers = await swarm(t, 6, ['--profile', profile])
    const source = await folder(t)
    for (const [name, content] of CORPUS) await writeFile(join(source, name), content)
    const names = [...CORPUS.keys()]
    const bringerOf = (name: string): Peer => peers[names.indexOf(name) % peers.length] as Peer
    for (const peer of peers) {
      const own = names.filter(name => bringerOf(name) === peer).map(name => join(source, name))
      t.match(await peer.run('insert', ...own), { code: 0 })
    }
    for (const peer of peers) {
      const expected = names.filter(name => bringerOf(name) === peer || profile !== 'documented' || !isFragile(CORPUS.get(name) as Buffer))
      for (const name of expected) {
        if (bringerOf(name) !== peer) await peer.whole(name)
        const [content, copy] = [CORPUS.get(name) as Buffer, await readFile(join(peer.directory, name))]
        t.ok(content.equals(copy), `${name} at ${peer.directory.slice(-6)}: ${copy.length} of ${content.length} bytes`)
      }
      t.same((await readdir(peer.directory)).filter(name => !name.startsWith('.')).sort(), expected.sort(), 'and nothing else')
    }
  })
}
