/**
 * The death of a node at every single step that it takes, by `kill -9` and by loss of power: a life of one node is played
 * again and again, each time one step further, and whatever it had promised by then is asked of the node that starts after it.
 * The order of the steps is what is under test; that a store and a ledger keep their own word is for their own tests.
 */
import type { LedgerEntry } from '@ropewalk/interface'
import { duplexPair } from '@ropewalk/testing'
import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import { acceptNode, cancel, commit, connectNode, put, putChunk, query, remove, reserve, retrieve, SEED, serve, StorageNode, upload, UPSTREAM, type Id, type Profile, type StorageConnection, type UploadOptions } from '../src/index.ts'
import { crashContent, isCrashContent } from './crash-content.ts'
import { Machine, type Remains } from './model-disk.ts'
import { DIALER_ID } from './nodes.ts'

/** What the client of the node was told. */
interface Told { size: number, durable: boolean, acked: number, complete: boolean, committed: boolean, removing: boolean, removed: boolean }

type Life = (connection: StorageConnection, told: Map<Id, Told>) => Promise<void>

const FRAGMENT = 4
const NOW = 1_800_000_000_000

/** Everything that a client can do to a chunk, the parts of it that fail included. */
const LIVES: Record<string, { life: Life, profile: Profile }> = {
  'durable, interrupted, gone on with, committed': {
    profile: UPSTREAM,
    life: async (connection, told) => {
      const id = await reserve(connection, 10, { durable: true })
      const chunk = note(told, id, 10, true)
      await putChunk(connection, id, failing(10, 8), { size: 10, fragmentBytes: FRAGMENT, onEvent: acknowledge(chunk, 0) }).catch(() => {})
      const has = (await query(connection, id))?.size ?? 0
      await putChunk(connection, id, crashContent(10, has), { size: 10 - has, append: true, fragmentBytes: FRAGMENT, onEvent: acknowledge(chunk, has) })
      chunk.complete = true
      await commit(connection, id)
      chunk.committed = true
      await commit(connection, id)
    }
  },
  'one after the other, durable and not, committed and not, removed and given up': {
    profile: UPSTREAM,
    life: async (connection, told) => {
      for (const durable of [false, true]) {
        await uploaded(connection, told, 6, durable)
        const committed = await uploaded(connection, told, 5, durable)
        await commit(connection, committed)
        asked(told, committed).committed = true
        const gone = await uploaded(connection, told, 7, durable)
        await commit(connection, gone)
        asked(told, gone).committed = true
        await removed(told, gone, async () => await remove(connection, gone))
        const rejected = await uploaded(connection, told, 3, durable)
        await removed(told, rejected, async () => await commit(connection, rejected, 'reject'))
        const given = await reserve(connection, 4, { durable })
        note(told, given, 4, durable)
        await removed(told, given, async () => await cancel(connection, given))
      }
    }
  },
  'nothing at all, and too much': {
    profile: UPSTREAM,
    life: async (connection, told) => {
      for (const durable of [false, true]) {
        const { chunkId } = await put(connection, [], { size: 0, ...remembered(told, 0, durable) })
        asked(told, chunkId).committed = true
        const empty = await upload(connection, [], { size: 0, ...remembered(told, 0, durable) })
        asked(told, empty.chunkId).complete = true
        await upload(connection, failing(9, 4), { size: 9, fragmentBytes: FRAGMENT, ...remembered(told, 9, durable) }).catch(() => {})
      }
    }
  },
  'the seed profile, in which complete is committed': {
    profile: SEED,
    life: async (connection, told) => {
      for (const durable of [false, true]) {
        const { chunkId } = await put(connection, crashContent(9), { size: 9, fragmentBytes: FRAGMENT, ...remembered(told, 9, durable) })
        asked(told, chunkId).committed = true
        await removed(told, chunkId, async () => await remove(connection, chunkId))
      }
      const { chunkId } = await put(connection, crashContent(4), { size: 4, fragmentBytes: FRAGMENT, ...remembered(told, 4, true) })
      asked(told, chunkId).committed = true
    }
  }
}

for (const hashing of [false, true]) {
  for (const [name, { life, profile }] of Object.entries(LIVES)) {
    t.test(`a node that dies at any step${hashing ? ', with digests' : ''}: ${name}`, async t => {
      const whole = await play(life, profile, Infinity, hashing)
      t.ok(whole.machine.points > 20, `${whole.machine.points} points`)
      let starts = 0
      for (let stopAt = 1; stopAt <= whole.machine.points; stopAt++) {
        const { machine, told } = await play(life, profile, stopAt, hashing)
        const at = `point ${stopAt}, ${machine.at}`
        await check(t, machine.killed(), told, profile, `killed at ${at}`, false)
        const states = machine.powerless()
        for (const [number, remains] of states.entries()) {
          // The oldest and the newest state always, of those between each fourth, another at each point.
          if (number > 0 && number < states.length - 1 && (number + stopAt) % 4 > 0) continue
          await check(t, remains, told, profile, `without power at ${at}, state ${number} of the ledger`, true)
          starts++
        }
      }
      t.pass(`${whole.machine.points} deaths by kill, ${starts} by loss of power`)
    })
  }
}

t.test('a node that dies at any step of its start starts again, and nothing is lost by that', async t => {
  let deaths = 0
  for (const { life, profile } of Object.values(LIVES)) {
    const { points } = (await play(life, profile, Infinity, false)).machine
    // A prime step: other places in each life, and not all of them, because each is followed by a start for every step of it.
    for (let stopAt = 3; stopAt <= points; stopAt += 11) {
      const { machine, told } = await play(life, profile, stopAt, false)
      for (const [remains, power] of [[machine.killed(), false], [machine.powerless()[0] as Remains, true]] as const) {
        for (let again = 1; ; again++) {
          const second = new Machine(again, remains)
          const node = new StorageNode({ store: second.store, ledger: second.ledger, now: () => NOW })
          if (await Promise.race([second.died.then(() => false), node.ready.then(() => true)])) break
          deaths++
          await check(t, second.killed(), told, profile, `killed at ${stopAt}, and at ${again} of the start, ${second.at}`, power)
          await check(t, second.powerless()[0] as Remains, told, profile, `killed at ${stopAt}, without power at ${again} of the start`, true)
        }
      }
    }
  }
  t.ok(deaths > 50, `${deaths} deaths in a start`)
})

/** Plays a life until the machine dies, or to its end. */
async function play (life: Life, profile: Profile, stopAt: number, hashing: boolean): Promise<{ machine: Machine, told: Map<Id, Told> }> {
  const machine = new Machine(stopAt)
  const hasher = hashing ? { hasher: sha256 } : {}
  const node = new StorageNode({ store: machine.store, ledger: machine.ledger, now: () => NOW, ...hasher })
  const told = new Map<Id, Told>()
  const connection = await clientOf(node, profile)
  await Promise.race([machine.died, life(connection, told)])
  // What the dead process had promised is what was heard by now.
  const heard = new Map(Array.from(told, ([id, chunk]) => [id, { ...chunk }]))
  connection.abort(new Error('the node is dead'))
  return { machine, told: heard }
}

/** Starts a node over what is left, and asks it for everything that was promised. */
async function check (t: Test, remains: Remains, told: Map<Id, Told>, profile: Profile, when: string, power: boolean): Promise<void> {
  const machine = new Machine(Infinity, remains)
  const node = new StorageNode({ store: machine.store, ledger: machine.ledger, now: () => NOW })
  const wrong = (what: string): void => { t.fail(`${when}: ${what}`) }
  await node.ready
  const entries = new Map((await node.ledger.page('', 1000)).map(entry => [entry.id, entry]))
  const sum = (which: (entry: LedgerEntry) => boolean): number => [...entries.values()].filter(which).reduce((all, { size }) => all + size, 0)
  const usage = { usedBytes: sum(({ state }) => state !== 'reserved'), reservedBytes: sum(({ state }) => state === 'reserved'), open: [...entries.values()].filter(({ state }) => state !== 'committed').length }
  if (JSON.stringify(await node.ledger.usage()) !== JSON.stringify(usage)) wrong('the sums are not those of the entries')
  for await (const { id, size, committed } of node.store.list()) {
    const entry = entries.get(id)
    if (entry === undefined) wrong(`${id} is stored, and nobody knows of it`)
    else if (committed !== (entry.state === 'committed')) wrong(`${id} is ${entry.state}, and the store has it ${committed ? '' : 'un'}committed`)
    else if (size > entry.size || (entry.state !== 'reserved' && size !== entry.size)) wrong(`${id} is ${entry.state} of ${entry.size} bytes with ${size}`)
  }

  for (const [id, { size, durable, acked, complete, committed, removing, removed }] of told) {
    const entry = entries.get(id)
    const has = (await node.store.stat(id))?.size ?? 0
    // A reservation that was given up may come back with the ledger after a loss of power: empty, and for an hour.
    if (removed && entry !== undefined && !(power && entry.state === 'reserved' && has === 0)) wrong(`${id} was removed and is ${entry.state}`)
    if (removing) continue
    if (committed && entry?.state !== 'committed') wrong(`${id} was committed and is ${entry?.state ?? 'gone'}`)
    if (durable && entry === undefined) wrong(`${id} was reserved for good and is gone`)
    if (entry !== undefined && entry.size !== size) wrong(`${id} has another size`)
    if (!durable && entry?.state === 'reserved') wrong(`${id} cannot be gone on with and is kept`)
    if (power) continue
    // An upload of nothing is over when its channel is closed, which nobody answers: there is nothing to be told of.
    if (complete && size > 0 && (entry === undefined || entry.state === 'reserved')) wrong(`${id} was complete and is ${entry?.state ?? 'gone'}`)
    if (durable && has < acked) wrong(`${id} has ${has} of ${acked} bytes acknowledged`)
  }

  // And it can be lived with: what is left is gone on with, committed, read, and removed.
  const connection = await clientOf(node, profile)
  for (const { id, size, state } of entries.values()) {
    if (profile.name === 'seed') {
      if (state !== 'committed') await putChunk(connection, id, crashContent(size), { size })
    } else {
      const { size: has = 0 } = state === 'reserved' ? await query(connection, id) ?? {} : { size }
      if (has < size) await putChunk(connection, id, crashContent(size, has), { size: size - has, append: true, fragmentBytes: FRAGMENT })
      await commit(connection, id)
    }
    const content: Uint8Array[] = []
    for await (const bytes of retrieve(connection, id, { size })) content.push(bytes.subarray())
    if (Buffer.concat(content).length !== size || !isCrashContent(Buffer.concat(content), 0, size)) wrong(`${id} is not what was uploaded`)
    await remove(connection, id)
  }
  const left = JSON.stringify(await node.ledger.usage())
  if (left !== '{"usedBytes":0,"reservedBytes":0,"open":0}') wrong(`${left} is left of nothing`)
  connection.abort(new Error('seen'))
}

async function clientOf (node: StorageNode, profile: Profile): Promise<StorageConnection> {
  const [left, right] = duplexPair()
  const connection = connectNode(left, { nodeId: DIALER_ID, profile })
  serve(await acceptNode(right, { profile }), { node }).catch(() => {})
  return connection
}

function note (told: Map<Id, Told>, id: Id, size: number, durable: boolean): Told {
  const chunk = { size, durable, acked: 0, complete: false, committed: false, removing: false, removed: false }
  told.set(id, chunk)
  return chunk
}

function asked (told: Map<Id, Told>, id: Id): Told {
  return told.get(id) as Told
}

/** Options that note what is promised on the way. */
function remembered (told: Map<Id, Told>, size: number, durable: boolean): Pick<UploadOptions, 'durable' | 'onReserved' | 'onEvent'> {
  let chunk: Told | undefined
  return {
    durable,
    onReserved: id => { chunk = note(told, id, size, durable) },
    onEvent: event => { if (chunk !== undefined && event.event === 'progress') chunk.acked = event.bytes }
  }
}

function acknowledge (chunk: Told, before: number): NonNullable<UploadOptions['onEvent']> {
  return event => { if (event.event === 'progress') chunk.acked = before + event.bytes }
}

async function uploaded (connection: StorageConnection, told: Map<Id, Told>, size: number, durable: boolean): Promise<Id> {
  const { chunkId } = await upload(connection, crashContent(size), { size, fragmentBytes: FRAGMENT, ...remembered(told, size, durable) })
  asked(told, chunkId).complete = true
  return chunkId
}

async function removed (told: Map<Id, Told>, id: Id, work: () => Promise<void>): Promise<void> {
  asked(told, id).removing = true
  await work()
  asked(told, id).removed = true
}

/** The content of `size` bytes, which fails after `most`. */
function * failing (size: number, most: number): Generator<Uint8Array> {
  for (const bytes of crashContent(size)) yield bytes.subarray(0, most)
  throw new Error('interrupted')
}

function sha256 (): { update (bytes: Uint8Array): void, digest (): Uint8Array } {
  const hash = createHash('sha256')
  return { update: bytes => { hash.update(bytes) }, digest: () => hash.digest() }
}
