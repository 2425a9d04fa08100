/** Who comes in: grants, the audit log, and what becomes of both when they change. */
import { mkdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { duplexPair } from '@ropewalk/testing'
import type { Connection } from '@ropewalk/interface'
import t, { type Test } from 'tap'
import { ActivityBoard } from '../src/activity/board.ts'
import { Grants, readGrants, writeGrants, type Grant } from '../src/grants/grants.ts'
import { readLog, RotatingLog } from '../src/logs/rotating-log.ts'
import { Door } from '../src/services/door.ts'
import { folder } from './processes.ts'

const KEY = 'a'.repeat(64)
const GRANT: Grant = { id: '00000001', peer: KEY, protocol: 'mdsftp', on: '*', access: 'write' }

function from (fingerprint: string | undefined, address = '192.0.2.7:5000'): Connection {
  const [connection] = duplexPair()
  return Object.assign(Object.create(connection) as Connection, { remote: { address, fingerprint }, abort: (reason: Error) => { connection.abort(reason) } })
}

async function all (path: string, keep: number): Promise<Array<Record<string, unknown>>> {
  const records: Array<Record<string, unknown>> = []
  for await (const record of readLog(path, keep)) records.push(record)
  return records
}

async function door (t: Test): Promise<{ door: Door, state: string, board: ActivityBoard, at: { now: number }, records: () => Promise<Array<Record<string, unknown>>> }> {
  const state = await folder(t)
  const board = new ActivityBoard()
  const at = { now: 1000 }
  const path = join(state, 'audit.ndjson')
  const audit = await RotatingLog.open({ path, maxBytes: 1 << 20, keep: 1 })
  const made = new Door({ board, state, audit, now: () => at.now })
  t.teardown(async () => { await made.close() })
  return {
    door: made, state, board, at,
    records: async () => {
      await audit.flush()
      return await all(path, 1)
    }
  }
}

t.test('nobody has said anything: the configuration decides, and everything is written down', async t => {
  const { door: entrance, board, records } = await door(t)
  const seen = await entrance.admit(from(KEY), { protocol: 'mdsftp', resource: '/srv' })
  t.match(seen, { granted: false, access: 'write', folders: undefined })
  t.match(board.list().connections, [{ protocol: 'mdsftp', address: '192.0.2.7:5000', fingerprint: KEY }])
  t.equal(entrance.limits.connections, 1)
  seen.end()
  t.same(board.list().connections, [])
  t.equal(entrance.limits.connections, 0)
  t.match(await records(), [
    { at: '1970-01-01T00:00:01.000Z', event: 'connected', protocol: 'mdsftp', address: '192.0.2.7:5000', fingerprint: KEY, access: 'write', granted: false },
    { event: 'disconnected' }
  ])
})

t.test('a grant is for one protocol, one folder, reading or writing, and until its time', async t => {
  const { door: entrance, state, at, records } = await door(t)
  await writeGrants(state, [
    { ...GRANT, on: '/srv/store', access: 'read', until: 5000 },
    { ...GRANT, id: '00000002', protocol: 'casync', on: '/srv/images' }
  ])
  t.equal((await stat(join(state, 'grants.ndjson'))).mode & 0o777, 0o600)
  const admit = (protocol: string, resource: string): Promise<unknown> => entrance.admit(from(KEY), { protocol, resource })
  t.match(await admit('mdsftp', '/srv/store'), { granted: true, access: 'read', folders: ['/srv/store'] })
  await t.rejects(admit('mdsftp', '/srv/store2'), { code: 'ERR_REFUSED', message: 'it has no grant for mdsftp' })
  t.match(await admit('casync', '/srv'), { access: 'write', folders: ['/srv/images'] }, 'a folder below what is served')
  await t.rejects(admit('ipc', '/srv/store'), { message: 'it has no grant for ipc' })
  t.match(await entrance.admit(from('b'.repeat(64)), { protocol: 'ipc' }), { granted: false }, 'others are not concerned')
  at.now = 5000
  await t.rejects(admit('mdsftp', '/srv/store'), { message: 'its grant for mdsftp is over' })
  t.match((await records()).filter(({ event }) => event === 'refused').at(-1), { code: 'ERR_REFUSED', message: 'its grant for mdsftp is over', fingerprint: KEY })

  await writeGrants(state, [])
  t.match(await admit('mdsftp', '/srv/store'), { granted: false }, 'what was revoked holds no longer')
})

t.test('whoever a grant alone has let in goes with it; whom others let in, and whom another grant does, stays', async t => {
  const { door: entrance, state, at, records } = await door(t)
  const other = 'b'.repeat(64)
  await writeGrants(state, [{ ...GRANT, until: 5000 }, { ...GRANT, id: '00000002', access: 'read' }, { ...GRANT, id: '00000003', peer: other }])
  const writer = await entrance.admit(from(KEY), { protocol: 'mdsftp', otherwise: () => false })
  const [guest, friend] = [await entrance.admit(from(other), { protocol: 'mdsftp', otherwise: () => false }), await entrance.admit(from(other), { protocol: 'mdsftp' })]
  const gone = await entrance.admit(from(other), { protocol: 'mdsftp', otherwise: () => false })
  const looker = await entrance.admit(from(KEY), { protocol: 'mdsftp', reads: true, otherwise: () => false })
  await entrance.look()
  t.same([writer, guest, friend].map(({ over }) => over.aborted), [false, false, false])
  at.now = 5000
  await entrance.look()
  t.match(writer.over.reason, { code: 'ERR_REFUSED', message: 'its grant to write was revoked' })
  t.notOk(looker.over.aborted, 'who only reads loses nothing with it')
  const reader = await entrance.admit(from(KEY), { protocol: 'mdsftp', otherwise: () => false })
  t.equal(reader.access, 'read')
  gone.end()
  await writeGrants(state, [{ ...GRANT, id: '00000002', access: 'read' }])
  await entrance.look()
  t.match(guest.over.reason, { code: 'ERR_REFUSED', message: 'its grant was revoked' })
  t.same([friend, reader, gone, looker].map(({ over }) => over.aborted), [false, false, false, false])
  t.match((await records()).filter(({ event }) => event === 'ended'), [{ fingerprint: KEY }, { fingerprint: other, protocol: 'mdsftp', code: 'ERR_REFUSED' }])
  t.equal((await records()).filter(({ event }) => event === 'ended').length, 2)
})

t.test('where only grants count, nobody else comes in, but who is on this machine as this user', async t => {
  const { state } = await door(t)
  const grants = new Grants(state)
  const ask = (fingerprint: string | undefined): Promise<unknown> => grants.verdict({ fingerprint, protocol: 'mdsftp', resource: '/srv' }, true, 0)
  t.match(await ask(undefined), { kind: 'refused', why: 'it has no grant for mdsftp' })
  await writeGrants(state, [{ ...GRANT, protocol: '*' }])
  t.match(await ask(KEY), { kind: 'granted', access: 'write' })
  t.match(await ask('b'.repeat(64)), { kind: 'refused' })
})

t.test('a file of grants that cannot be read lets nobody in, and says where it is wrong', async t => {
  const { door: entrance, state } = await door(t)
  await writeFile(join(state, 'grants.ndjson'), `${JSON.stringify(GRANT)}\n{"id":"x"}\n`)
  await t.rejects(entrance.admit(from(KEY), { protocol: 'mdsftp' }), { code: 'ERR_STATE', message: /grants\.ndjson:2: expected a grant/ })
  await t.rejects(readGrants(state), { code: 'ERR_STATE' })
  t.match(await entrance.admit(from(undefined, 'unix:/run/x'), { protocol: 'mdsftp' }), { granted: false }, 'the owner of the socket needs none')
  await utimes(join(state, 'grants.ndjson'), 1, 1)
  t.equal(entrance.limits.connections, 1)
})

t.test('a log is put aside when it is full, the oldest goes, and a line that was cut off is passed over', async t => {
  const path = join(await folder(t), 'log')
  const log = await RotatingLog.open({ path, maxBytes: 400, keep: 2 })
  for (let number = 0; number < 40; number++) {
    log.append({ number, text: 'x'.repeat(60) })
    await log.flush()
  }
  await log.close()
  const sizes = await Promise.all([path, `${path}.1`, `${path}.2`].map(async name => (await stat(name)).size))
  t.ok(sizes.every(size => size <= 400), String(sizes))
  await t.rejects(stat(`${path}.3`))
  await writeFile(path, `${(await readFile(path, 'utf8')).slice(0, -20)}\n`)
  const numbers = (await all(path, 2)).map(({ number }) => number as number)
  t.same(numbers, numbers.toSorted((a, b) => a - b))
  t.equal(numbers.at(-1), 38)
  t.ok(numbers.length >= 9 && numbers.length < 15, String(numbers.length))
})

t.test('a disk that cannot be written is told once, and what was lost is counted', async t => {
  const path = join(await folder(t), 'log')
  const log = await RotatingLog.open({ path, maxBytes: 10, keep: 1 })
  const told: unknown[] = []
  log.onTrouble(error => told.push(error))
  log.append({ number: 1 })
  await log.flush()
  await mkdir(`${path}.1`)
  for (const number of [2, 3]) {
    log.append({ number })
    await log.flush()
  }
  t.equal(told.length, 1)
  await log.close()
})
