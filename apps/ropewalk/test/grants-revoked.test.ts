/** What a grant alone has let in ends with the grant: revoked, run out, or no longer enough after SIGHUP. What others do goes on. */
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readGrants, writeGrants } from '../src/grants/grants.ts'
import { Command, facts, factsOf, folder, run, startNode, type Node } from './processes.ts'

const BYTES = 6_000_000

interface Scene {
  readonly state: string
  readonly node: Node
  /** Says anew what the node is, at SIGHUP. */
  readonly configure: (more: string) => Promise<void>
  /** Fetches it, as one of two people, so slowly that there is time for everything. */
  readonly fetch: (who: 'guest' | 'friend') => Command
}

async function identity (state: string): Promise<string> {
  const { stdout } = await run(['identity', '--json'], { state })
  return String(facts(stdout)[0]?.['sha256'])
}

/** The friend is let in by the configuration, and the guest by a grant. */
async function scene (t: Test): Promise<Scene> {
  const root = await folder(t)
  const state = join(root, 'node')
  const states = { guest: join(root, 'guest'), friend: join(root, 'friend') }
  const said = `listen = ["mdsftp+tls://127.0.0.1:0", "mdsftp+unix:${join(root, 'n.sock')}"]\nallow = ["sha256=${await identity(states.friend)}"]\n`
  const write = async (more: string): Promise<void> => { await writeFile(join(root, 'node.toml'), `${said}${more}`) }
  await write('[limits]\npeer_up = "64K"\n')
  const node = await startNode(t, state, ['--config', join(root, 'node.toml')])
  await node.command.until(({ stdout }) => factsOf(stdout, 'listening').length === 2)
  const [address = '', socket = ''] = factsOf(node.command.stdout, 'listening').map(({ address }) => String(address))
  await writeFile(join(root, 'big'), randomBytes(BYTES))
  const { stdout } = await run(['put', join(root, 'big'), '--to', socket, '--json'], { state })
  const id = String(factsOf(stdout, 'stored')[0]?.['id'])
  t.match(await run(['grant', await identity(states.guest), '--protocol', 'mdsftp', '--json'], { state }), { code: 0 })
  return {
    state, node,
    configure: async more => {
      await write(more)
      node.command.kill('SIGHUP')
    },
    fetch: who => {
      const command = new Command(['get', id, '--from', address, '-o', join(root, `${who}.bin`), '--json'], { state: states[who] })
      t.teardown(() => { command.kill('SIGKILL') })
      return command
    }
  }
}

const moves = async (command: Command): Promise<void> => { await command.until(({ stdout }) => factsOf(stdout, 'progress').length > 0) }

async function ended (state: string): Promise<Array<Record<string, unknown>>> {
  const { stdout } = await run(['audit', '--json'], { state })
  return factsOf(stdout, 'ended')
}

t.test('a grant that is revoked ends the download that it let in, and no other', async t => {
  const { state, fetch, node, configure } = await scene(t)
  const [guest, friend] = [fetch('guest'), fetch('friend')]
  await Promise.all([moves(guest), moves(friend)])
  const [{ id = '' } = {}] = facts((await run(['grants', '--json'], { state })).stdout) as Array<{ id?: string }>
  t.match(await run(['revoke', id], { state }), { code: 0 })
  const cut = await guest.ended
  t.equal(cut.code, 1)
  t.match(factsOf(cut.stdout, 'failed'), [{ code: /^ERR_/ }])
  t.notOk(factsOf(cut.stdout, 'received').length)
  t.match(await ended(state), [{ protocol: 'mdsftp', code: 'ERR_REFUSED', message: 'its grant was revoked' }])
  t.ok(factsOf(node.command.stdout, 'trouble').some(fact => fact['code'] === 'ERR_REFUSED' && fact['message'] === 'its grant was revoked'))
  t.match(facts((await run(['history', '--failed', '--json'], { state })).stdout), [{ protocol: 'mdsftp', direction: 'out', state: 'failed' }])
  await configure('')
  t.match(await friend.ended, { code: 0 })
  const again = await fetch('guest').ended
  t.not(again.code, 0, 'and nothing new begins')
  t.notOk(factsOf(again.stdout, 'received').length)
})

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
  await configure('[limits]\npeer_up = "64K"\n[trust]\nonly_granted = true\n')
  t.match(await friend.ended, { code: 1 })
  t.match(await ended(state), [{ code: 'ERR_REFUSED', message: 'it has no grant for mdsftp' }])
})
