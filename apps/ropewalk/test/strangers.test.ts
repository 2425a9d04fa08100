import { duplexPair } from '@ropewalk/testing'
import { mdsftp } from '@ropewalk/muxer-mdsftp'
import { loadIdentity } from '@ropewalk/transport-tcp'
import { MessageChannel } from 'node:worker_threads'
import t from 'tap'
import { ActivityBoard } from '../src/activity/board.ts'
import { Links, WARPDRIVE } from '../src/peers/links.ts'
import { Door } from '../src/services/door.ts'
import { asConnection } from '../src/services/muxed.ts'
import { folder } from './processes.ts'

t.test('a stranger is broken off in time, and not while it brings what was accepted', async t => {
  const state = await folder(t)
  const board = new ActivityBoard()
  const door = new Door({ board, state })
  let asked = 0
  const links = new Links({
    door, resource: undefined, identity: await loadIdentity(state), addressesOf: () => [], protocolsFor: () => [WARPDRIVE], isKnown: () => false,
    receivesFrom: () => ++asked <= 3, strangerMs: 5, serve: async () => {}, onLink: () => {}, greet: async () => {}, onTrouble: (_, error) => { troubles.push(error) }
  })
  const troubles: unknown[] = []
  // The timer of a stranger keeps no process alive; an open port does.
  const { port1: alive } = new MessageChannel()
  alive.ref()
  t.teardown(() => { alive.close() })
  const [near, far] = duplexPair()
  links.listen({
    address: undefined, close: async () => {}, [Symbol.asyncDispose]: async () => {},
    async * [Symbol.asyncIterator] () { yield asConnection(near, { address: '192.0.2.7:1', fingerprint: 'a'.repeat(64) }) }
  })
  const muxer = mdsftp(asConnection(far, { address: '192.0.2.8:1' }), { role: 'dialer' })
  await t.rejects((async () => { for await (const _ of muxer) t.fail('nobody opens a channel') })())
  t.equal(asked, 4, 'it was let be as long as something came')
  t.match(troubles, [{ code: 'ERR_REFUSED', message: /paired/ }])
  await links.close()
  await door.close()
})
