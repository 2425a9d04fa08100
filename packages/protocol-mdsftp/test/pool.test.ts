import { duplexPair, settle, turn, VirtualClock } from '@ropewalk/testing'
import { MemoryStore } from '@ropewalk/store-memory'
import fc from 'fast-check'
import t from 'tap'
import { acceptNode, connectNode, Pool, query, serve, StorageNode, type PoolOptions, type StorageConnection } from '../src/index.ts'
import { Backoff } from '../src/pool-state.ts'
import { TOKEN } from './nodes.ts'

const HERE = 'a'.repeat(32)
const THERE = 'b'.repeat(32)
const CHUNK = 'c'.repeat(32)

t.test('back-off doubles to its bound, between half and all of it, and one success forgets it', async t => {
  fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1, maxLength: 40 }), draws => {
    const backoff = new Backoff({ firstMs: 500, mostMs: 30_000 })
    for (const [index, random] of draws.entries()) {
      backoff.failed(1000, random)
      const whole = Math.min(30_000, 500 * 2 ** index)
      t.ok(backoff.wait(1000) >= whole / 2 && backoff.wait(1000) < whole + 1)
    }
    backoff.succeeded()
    t.equal(backoff.wait(1000), 0)
  }), { numRuns: 20 })
})

t.test('finding 17: all who need a node share one dial; no node waits for another; a signal ends one wait only', async t => {
  const { pool, dialled, gates } = stage({ gated: new Set([THERE]) })
  const over = new AbortController()
  const given = pool.use(THERE, async () => 'never', { signal: over.signal })
  const waiting = [1, 2, 3].map(async () => await pool.use(THERE, async connection => await query(connection, CHUNK)))
  await pool.use(HERE, async connection => await query(connection, CHUNK))
  over.abort(new Error('enough'))
  await t.rejects(given, { message: 'enough' })
  gates.get(THERE)?.resolve()
  t.same(await Promise.all(waiting), [undefined, undefined, undefined])
  t.same(dialled, [THERE, HERE])
  await pool.close()
  t.equal(pool.size(), 0)
})

t.test('finding 14: a dead connection is gone, and the next operation gets another', async t => {
  const { pool, remotes, dialled } = stage()
  await pool.use(THERE, async connection => await query(connection, CHUNK))
  remotes[0]?.abort(new Error('power cut'))
  await settle(() => pool.size())
  t.equal(pool.size(), 0)
  await pool.use(THERE, async connection => await query(connection, CHUNK))
  t.same([dialled.length, pool.size(THERE)], [2, 1])
  await pool.close()
})

t.test('finding 14: of two connections the dead one is never chosen', async t => {
  const { pool, accept } = stage()
  const first = await accept(THERE)
  const second = await accept(THERE)
  first.far.abort(new Error('power cut'))
  await settle(() => pool.size())
  for (let times = 0; times < 3; times++) await pool.use(THERE, async connection => t.equal(connection, second.near))
  await pool.close()
})

t.test('a node that cannot be dialled is spared: half a second, one, two, as chance says', async t => {
  const { pool, clock, dialled, failing } = stage()
  failing.add(THERE)
  const use = async (): Promise<unknown> => await pool.use(THERE, async connection => await query(connection, CHUNK))
  await t.rejects(use(), { message: 'unreachable' })
  for (const wait of [375, 750, 1500]) {
    const attempts = dialled.length
    const next = use().then(() => 'done', (error: Error) => error.message)
    await clock.advance(wait - 1)
    t.equal(dialled.length, attempts)
    await clock.advance(1)
    t.equal(dialled.length, attempts + 1)
    t.equal(await next, 'unreachable')
  }
  failing.clear()
  const next = use()
  await clock.advance(3000)
  t.equal(await next, undefined)
  await pool.close()
})

t.test('a dial that takes longer than 10 s is given up, and leaves no connection behind', async t => {
  const { pool, clock, gates, remotes } = stage({ gated: new Set([THERE]) })
  const waiting = pool.use(THERE, async () => 'never')
  waiting.catch(() => {})
  await clock.advance(10_000)
  await t.rejects(waiting, { code: 'ERR_TIMEOUT', scope: 'connection' })
  gates.get(THERE)?.resolve()
  await turn()
  t.equal(pool.size(), 0)
  await t.rejects(remotes[0]?.close() as Promise<void>, 'it was broken off')
  await pool.close()
})

t.test('finding 15: the least busy is counted from what is open', async t => {
  const { pool, accept } = stage()
  const [first, second] = [await accept(THERE), await accept(THERE)]
  const busy = first.near.open()
  await pool.use(THERE, async connection => t.equal(connection, second.near))
  busy.close()
  await settle(() => first.near.size)
  second.near.open()
  await pool.use(THERE, async connection => t.equal(connection, first.near))
  await pool.close({ signal: AbortSignal.abort() })
})

t.test('finding 5a: content goes over one that we dialled, if there is one', async t => {
  const { pool, accept } = stage()
  let dialled: StorageConnection | undefined
  await pool.use(THERE, async connection => { dialled = connection })
  const accepted = await accept(THERE)
  const channel = dialled?.open()
  await pool.use(THERE, async connection => t.equal(connection, accepted.near))
  await pool.use(THERE, async connection => t.equal(connection, dialled), { bulk: true })
  channel?.close()
  await pool.close({ signal: AbortSignal.abort() })
})

t.test('at most 8 connections a node; another is dialled when all are busy, and nobody waits for it', async t => {
  const { pool, accept, dialled } = stage({ maxChannels: 2 })
  await pool.use(THERE, async first => {
    const channels = [first.open(), first.open()]
    await pool.use(THERE, async connection => t.equal(connection, first))
    await settle(() => pool.size(THERE))
    t.same([dialled.length, pool.size(THERE)], [2, 2])
    await pool.use(THERE, async connection => t.not(connection, first))
    for (const channel of channels) channel.close()
  })
  for (let more = 2; more < 8; more++) await accept(THERE)
  await t.rejects(accept(THERE), { code: 'ERR_MAX_CONNECTIONS' })
  t.equal(pool.size(THERE), 8)
  await accept(HERE)
  await pool.close({ signal: AbortSignal.abort() })
})

t.test('conduct 9: the other side asks on a connection that we dialled', async t => {
  const { pool, remotes, store } = stage()
  store.plant(CHUNK, new Uint8Array(5))
  await pool.use(THERE, async () => {})
  t.equal((await query(remotes[0] as StorageConnection, CHUNK))?.size, 5)
  await pool.close()
})

t.test('conduct 9: a connection to the original is never closed for being idle, one to our own is', async t => {
  for (const peer of ['upstream', 'own'] as const) {
    const { pool, clock } = stage({ peer, idleMs: 1000 })
    await pool.use(THERE, async connection => await query(connection, CHUNK))
    await clock.advance(900)
    t.equal(pool.size(), 1)
    await pool.use(THERE, async connection => await query(connection, CHUNK))
    await clock.advance(900)
    t.equal(pool.size(), 1, 'it was used meanwhile')
    await clock.advance(100_000)
    t.equal(pool.size(), peer === 'upstream' ? 1 : 0, peer)
    await pool.close()
  }
})

t.test('conduct 7: a time-out closes the channel; the connection only if it shows no life at all', async t => {
  for (const alive of [true, false]) {
    const { pool, clock, far } = stage({ silent: true })
    await pool.use(THERE, async () => {})
    const asked = pool.use(THERE, async connection => await query(connection, CHUNK, { clock }))
    asked.catch(() => {})
    await clock.advance(20_000)
    // Whatever it is, it is life.
    if (alive) far[0]?.open()
    await clock.advance(10_000)
    await t.rejects(asked, { code: 'ERR_TIMEOUT', scope: 'channel' })
    t.equal(pool.size(), alive ? 1 : 0)
    await pool.close({ signal: AbortSignal.abort() })
  }
})

t.test('a closed pool takes and gives nothing', async t => {
  const { pool, accept } = stage()
  await pool.close()
  await t.rejects(pool.use(THERE, async () => {}), { code: 'ERR_CLOSED' })
  await t.rejects(accept(THERE), { code: 'ERR_CLOSED' })
})

interface Stage {
  pool: Pool
  clock: VirtualClock
  store: MemoryStore
  dialled: string[]
  /** The other ends of what was dialled. */
  remotes: StorageConnection[]
  far: StorageConnection[]
  gates: Map<string, PromiseWithResolvers<void>>
  failing: Set<string>
  accept (nodeId: string): Promise<{ near: StorageConnection, far: StorageConnection }>
}

function stage (options: Partial<PoolOptions> & { gated?: Set<string>, peer?: 'upstream' | 'own', silent?: boolean } = {}): Stage {
  const { gated = new Set(), peer, silent = false, ...more } = options
  const clock = new VirtualClock()
  const store = new MemoryStore()
  const node = new StorageNode({ store, clock })
  const [dialled, remotes, failing] = [[] as string[], [] as StorageConnection[], new Set<string>()]
  const gates = new Map(Array.from(gated, id => [id, Promise.withResolvers<void>()]))
  const far: StorageConnection[] = []
  const pool = new Pool({
    clock,
    random: () => 0.5,
    serve: async connection => await serve(connection, { node }),
    async dial (nodeId) {
      dialled.push(nodeId)
      await gates.get(nodeId)?.promise
      if (failing.has(nodeId)) throw new Error('unreachable')
      const [left, right] = duplexPair()
      const connection = connectNode(left, { nodeId: HERE, token: TOKEN, peer, clock })
      const remote = await acceptNode(right, { verifyToken: () => true, clock })
      remotes.push(remote)
      far.push(remote)
      if (!silent) serve(remote, { node }).then(async () => await remote.close(), () => {})
      return connection
    },
    ...more
  })
  return {
    pool,
    clock,
    store,
    dialled,
    remotes,
    far,
    gates,
    failing,
    async accept (nodeId) {
      const [left, right] = duplexPair()
      const remote = connectNode(left, { nodeId })
      const near = await acceptNode(right, { clock })
      serve(remote, { node }).then(async () => await remote.close(), () => {})
      pool.add(near)
      return { near, far: remote }
    }
  }
}
