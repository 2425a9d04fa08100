/** A service that stops while somebody is let in: it waits for nobody who came too late. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Connection, Listener } from '@ropewalk/interface'
import { duplexPair } from '@ropewalk/testing'
import { dial, loadIdentity } from '@ropewalk/transport-tcp'
import t from 'tap'
import { ActivityBoard } from '../src/activity/board.ts'
import { Links, WARPDRIVE } from '../src/peers/links.ts'
import { Door } from '../src/services/door.ts'
import { startIpc } from '../src/services/ipc.ts'
import { asConnection, Muxed } from '../src/services/muxed.ts'
import { stopAll, type Host, type Service } from '../src/services/service.ts'
import { folder } from './processes.ts'

/** A door that lets in whoever comes, when it is opened. */
function slowDoor (state: string, board: ActivityBoard): { door: Door, asked: Promise<void>, open: () => void } {
  const [asked, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const door = new Door({ board, state })
  const admit = door.admit.bind(door)
  door.admit = async (...coming) => {
    asked.resolve()
    await opened.promise
    return await admit(...coming)
  }
  return { door, asked: asked.promise, open: opened.resolve }
}

async function ended (connection: Connection): Promise<void> {
  try {
    for await (const _ of connection.source) continue
  } catch {
    // Broken off is ended too.
  }
}

t.test('uploads over TLS', async t => {
  const state = await folder(t)
  const board = new ActivityBoard()
  const { door, asked, open } = slowDoor(state, board)
  await writeFile(join(state, 'key'), 'k'.repeat(64), { mode: 0o600 })
  const listening = Promise.withResolvers<string>()
  const host = { board, door, state, muxed: new Muxed(() => {}), note: () => {}, onTrouble: () => {}, listening: listening.resolve } as unknown as Host
  const service = await startIpc(host, { addresses: [{ transport: 'tls', host: '127.0.0.1', port: 0 }], keyFile: join(state, 'key'), root: join(state, 'uploads'), maxFileBytes: 1000, audience: undefined })
  const port = Number(/:(\d+)#/.exec(await listening.promise)?.[1])
  const client = await dial({ transport: 'tls', host: '127.0.0.1', port }, { tls: { verify: () => true } })
  t.teardown(() => { client.abort(new Error('over')) })
  await asked
  const stopped = service.stop(0)
  open()
  t.equal(await stopped, true)
  await ended(client)
  t.same(board.list().connections, [])
  await door.close()
})

t.test('peers', async t => {
  const state = await folder(t)
  const board = new ActivityBoard()
  const { door, asked, open } = slowDoor(state, board)
  const links = new Links({
    door, resource: undefined, identity: await loadIdentity(state), addressesOf: () => [], protocolsFor: () => [WARPDRIVE], isKnown: () => true, receivesFrom: () => false,
    serve: async () => {}, onLink: () => {}, greet: async () => {}, onTrouble: (_, error) => { t.fail('no trouble of anybody', { error }) }
  })
  const [near, far] = duplexPair()
  const closed = Promise.withResolvers<void>()
  links.listen({
    address: undefined, close: async () => { closed.resolve() }, [Symbol.asyncDispose]: async () => { closed.resolve() },
    async * [Symbol.asyncIterator] () {
      yield asConnection(near, { address: '192.0.2.7:1', fingerprint: 'a'.repeat(64) })
      await closed.promise
    }
  } satisfies Listener<undefined>)
  await asked
  const stopped = links.close()
  open()
  await stopped
  await ended(far)
  t.notOk(links.isConnected('a'.repeat(64)))
  t.same(board.list().connections, [])
  await door.close()
})

t.test('one that cannot stop keeps no other from stopping, and is told', async t => {
  const told: unknown[] = []
  const over: string[] = []
  const broken = new Error('the folder is gone')
  const ends = (name: string, clean: boolean): Service => ({
    async stop () {
      await null
      over.push(name)
      return clean
    }
  })
  const fails: Service = { async stop () { throw broken } }
  const throws: Service = { stop () { throw broken } }
  t.equal(await stopAll([fails, ends('first', true), throws, ends('second', true)], error => { told.push(error) }), false)
  t.same([over, told], [['first', 'second'], [broken, broken]])
  t.equal(await stopAll([ends('third', true), ends('fourth', false)], () => {}), false, 'something was cut off')
  t.equal(await stopAll([ends('fifth', true)], () => {}), true)
})
