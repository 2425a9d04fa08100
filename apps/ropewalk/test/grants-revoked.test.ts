/** What a grant alone has let in ends with the grant: revoked, run out, or no longer enough after SIGHUP. What others do goes on. The node, and who fetches, are processes. */
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readGrants, writeGrants } from '../src/grants/grants.ts'
import { here } from './node.ts'
import { Command, facts, factsOf, folder, startNode, type Node } from './processes.ts'

const BYTES = 6_000_000

/** Something of the node that is fetched with one protocol. */
interface Kind {
  readonly protocol: 'mdsftp' | 'casync' | 'ipc'
  readonly scheme: 'mdsftp' | 'yamux'
  /** More of the configuration, before its tables. */
  readonly said?: (root: string) => string
  /** Makes it; resolves to how it is called. */
  readonly prepare: (root: string, socket: string, state: string) => Promise<string>
  readonly words: (name: string, address: string, to: string, root: string) => readonly string[]
}

const object: Omit<Kind, 'scheme'> = {
  protocol: 'mdsftp',
  prepare: async (root, socket, state) => String(factsOf((await here(['put', join(root, 'big'), '--to', socket, '--json'], state)).stdout, 'stored')[0]?.['id']),
  words: (id, address, to) => ['get', id, '--from', address, '-o', to]
}

const KINDS: readonly Kind[] = [
  { ...object, scheme: 'mdsftp' },
  { ...object, scheme: 'yamux' },
  {
    protocol: 'casync',
    scheme: 'yamux',
    said: root => `[chunks]\ndirectory = "${join(root, 'images')}"\nlisten = "http://127.0.0.1:0"\n`,
    prepare: async (root, _, state) => {
      t.match(await here(['casync', 'make', join(root, 'images', 'big.caibx'), join(root, 'big')], state), { code: 0 })
      return 'big.caibx'
    },
    words: (name, address, to) => ['casync', 'extract', `${address}::${name}`, to]
  },
  {
    // A token lets in whoever shows it; only where nobody comes in without a grant does one end something.
    protocol: 'ipc',
    scheme: 'yamux',
    said: root => `[uploads]\nlisten = ["unix:${join(root, 'up.sock')}"]\nkey = "${join(root, 'key')}"\n[trust]\nonly_granted = true\n`,
    prepare: async (root, socket, state) => {
      t.match(await here(['token', 'issue', '--user', 'ada:7', '--ttl', '1h', '--key', join(root, 'key'), '-o', join(root, 'token')], state), { code: 0 })
      return String(factsOf((await here(['upload', join(root, 'big'), '--to', socket, '--token', join(root, 'token'), '--json'], state)).stdout, 'uploaded')[0]?.['sha256'])
    },
    words: (digest, address, to, root) => ['download', digest, '--from', address, '--token', join(root, 'token'), '-o', to]
  }
]

/** What a fetch tells when it has all of it. */
const DONE: ReadonlySet<string> = new Set(['received', 'extracted', 'downloaded'])

interface Scene {
  readonly state: string
  readonly node: Node
  /** The id of the grant of the guest. */
  readonly grant: string
  /** Says anew what the node is, at SIGHUP. */
  readonly configure: (more: string) => Promise<void>
  /** Fetches it, as one of two people, so slowly that there is time for everything. */
  readonly fetch: (who: 'guest' | 'friend') => Command
}

const SLOW = '[limits]\npeer_up = "64K"\n'

async function identity (state: string): Promise<string> {
  const { stdout } = await here(['identity', '--json'], state)
  return String(facts(stdout)[0]?.['sha256'])
}

/** The friend is let in by the configuration, or by a grant where nothing else counts, and the guest by a grant. */
async function scene (t: Test, { protocol, scheme, said = () => '', prepare, words }: Kind = KINDS[0] as Kind): Promise<Scene> {
  const root = await folder(t)
  const state = join(root, 'node')
  const states = { guest: join(root, 'guest'), friend: join(root, 'friend') }
  const friend = await identity(states.friend)
  const listen = `listen = ["${scheme}+tls://127.0.0.1:0", "${scheme}+unix:${join(root, 'n.sock')}"]\nallow = ["sha256=${friend}"]\n${said(root)}`
  const write = async (more: string): Promise<void> => { await writeFile(join(root, 'node.toml'), `${listen}${more}`) }
  await write(SLOW)
  await writeFile(join(root, 'big'), randomBytes(BYTES))
  await writeFile(join(root, 'key'), randomBytes(32).toString('hex'), { mode: 0o600 })
  await mkdir(join(root, 'images'), { recursive: true })
  const node = await startNode(t, state, ['--config', join(root, 'node.toml')])
  const addresses = (): string[] => factsOf(node.command.stdout, 'listening').map(({ address }) => String(address)).filter(address => address.startsWith(`${scheme}+`))
  await node.command.until(() => addresses().length === 2)
  const [address = '', socket = ''] = addresses()
  const name = await prepare(root, socket, state)
  const grant = async (key: string): Promise<string> => String(facts((await here(['grant', key, '--protocol', protocol, '--json'], state)).stdout)[0]?.['id'])
  if (protocol === 'ipc') await grant(friend)
  return {
    state, node,
    grant: await grant(await identity(states.guest)),
    configure: async more => {
      await write(more)
      node.command.kill('SIGHUP')
    },
    fetch: who => {
      const command = new Command([...words(name, address, join(root, `${who}.bin`), root), '--json'], { state: states[who] })
      t.teardown(() => { command.kill('SIGKILL') })
      return command
    }
  }
}

const moves = async (command: Command): Promise<void> => { await command.until(({ stdout }) => factsOf(stdout, 'progress').length > 0) }

async function ended (state: string): Promise<Array<Record<string, unknown>>> {
  const { stdout } = await here(['audit', '--json'], state)
  return factsOf(stdout, 'ended')
}

for (const kind of KINDS) {
  t.test(`a grant that is revoked ends what it let in, and nothing else: ${kind.protocol} on ${kind.scheme}`, async t => {
    const { state, fetch, node, grant, configure } = await scene(t, kind)
    const why = kind.protocol === 'ipc' ? 'it has no grant for ipc' : 'its grant was revoked'
    const [guest, friend] = [fetch('guest'), fetch('friend')]
    await Promise.all([moves(guest), moves(friend)])
    t.match(await here(['revoke', grant], state), { code: 0 })
    const cut = await guest.ended
    t.not(cut.code, 0)
    t.match(factsOf(cut.stdout, 'failed'), [{ code: /^ERR_/ }])
    t.notOk(facts(cut.stdout).some(({ event }) => DONE.has(event)))
    t.match((await ended(state))[0], { protocol: kind.protocol, code: 'ERR_REFUSED', message: why })
    t.ok(factsOf(node.command.stdout, 'trouble').some(fact => fact['code'] === 'ERR_REFUSED' && fact['message'] === why))
    // Uploads are reported by the file, which the friend goes on with.
    if (kind.protocol !== 'ipc') t.match(facts((await here(['history', '--failed', '--json'], state)).stdout), [{ protocol: kind.protocol, direction: 'out', state: 'failed' }])
    await configure('')
    t.match(await friend.ended, { code: 0 })
    const again = await fetch('guest').ended
    t.not(again.code, 0, 'and nothing new begins')
    t.notOk(facts(again.stdout).some(({ event }) => DONE.has(event)))
  })
}

t.test('a grant that runs out ends the download that it let in', async t => {
  const { state, fetch } = await scene(t)
  const guest = fetch('guest')
  await moves(guest)
  await writeGrants(state, (await readGrants(state)).map(grant => ({ ...grant, until: Date.now() + 1000 })))
  t.match(await guest.ended, { code: 1 })
  t.match(await ended(state), [{ code: 'ERR_REFUSED', message: 'its grant for mdsftp is over' }])
})

t.test('SIGHUP: where only grants count from now on, who has none goes', async t => {
  const { state, fetch, configure } = await scene(t)
  const friend = fetch('friend')
  await moves(friend)
  await configure(`${SLOW}[trust]\nonly_granted = true\n`)
  t.match(await friend.ended, { code: 1 })
  t.match(await ended(state), [{ code: 'ERR_REFUSED', message: 'it has no grant for mdsftp' }])
})
