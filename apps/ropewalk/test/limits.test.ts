/** Shared limits: rates that all protocols draw from, and places among the connections. All of it in virtual time. */
import { VirtualClock } from '@ropewalk/testing'
import t from 'tap'
import { Configuration } from '../src/config/resolve.ts'
import { SETTINGS } from '../src/config/settings.ts'
import { Limits, type Place } from '../src/limits/limits.ts'
import { Line } from '../src/limits/line.ts'
import { formatRate, parseRate } from '../src/limits/rate.ts'

const KIB = 1024

function configuration (said: Readonly<Record<string, unknown>>): Configuration {
  return new Configuration(new Map(SETTINGS.map(setting => [setting.key, { setting, value: said[setting.key] ?? setting.fallback, from: 'test' }])))
}

function limits (said: Readonly<Record<string, unknown>>, more: { memory?: () => number, free?: () => Promise<number> } = {}): { limits: Limits, clock: VirtualClock } {
  const clock = new VirtualClock()
  const made = new Limits({ clock, minute: now => Math.floor(now / 60_000) % 1440, ...more })
  made.configure(configuration(said))
  return { limits: made, clock }
}

/** Sends as fast as it may, and counts. */
function busy (place: Place, piece: number): { readonly bytes: number } {
  const count = { bytes: 0 }
  void (async () => {
    for (;;) {
      const wait = place.send(piece, {})
      // Whoever is never held would never come back.
      await (wait ?? new Promise(() => {}))
      count.bytes += piece
    }
  })()
  return count
}

t.test('all protocols together stay at the rate, and each gets its share in turn', async t => {
  const { limits: shared, clock } = limits({ 'limits.up': '100K' })
  const counts = await Promise.all(['mdsftp', 'ipc', 'warpdrive'].map(async (protocol, at) => {
    const place = await shared.enter(protocol, `peer ${at}`)
    // Takes the burst.
    while (place.send(8 * KIB, {}) === undefined) continue
    return busy(place, 8 * KIB)
  }))
  await clock.advance(60_000)
  const [first = 0, second = 0, third = 0] = counts.map(({ bytes }) => bytes)
  const total = first + second + third
  t.ok(Math.abs(total - 6000 * KIB) < 200 * KIB, `${total / KIB} KiB in a minute`)
  t.ok(Math.max(first, second, third) - Math.min(first, second, third) <= 16 * KIB, `${first} ${second} ${third}`)
})

t.test('a peer, a protocol and all together are three circles; the narrowest holds, and says so', async t => {
  const { limits: shared, clock } = limits({ 'limits.up': '1M', 'limits.peer_up': '64K', 'limits.ipc_up': '128K' })
  const place = await shared.enter('ipc', 'ada')
  const other = await shared.enter('ipc', 'bob')
  while (place.send(16 * KIB, {}) === undefined) continue
  t.equal(place.holds(), 'limits.peer_up, 64K')
  t.equal(other.holds(), undefined, 'another peer is not held')
  const count = busy(place, 16 * KIB)
  await clock.advance(10_000)
  t.ok(Math.abs(count.bytes - 640 * KIB) <= 64 * KIB, `${count.bytes / KIB} KiB in ten seconds`)
  place.leave()
  place.leave()
  t.equal(shared.connections, 1)
})

t.test('the timetable changes the rate at its minute, also for those who wait', async t => {
  const { limits: shared, clock } = limits({ 'limits.down': '00:01,10K 00:02,off' })
  await clock.advance(60_000)
  const place = await shared.enter('mdsftp', 'ada')
  const times: number[] = []
  for (let i = 0; i < 4; i++) void Promise.resolve(place.receive(600 * KIB)).then(() => times.push(clock.now() - 60_000))
  await clock.advance(120_000)
  t.equal(times[0], 0, 'a take larger than the burst is let through once, and leaves a debt')
  t.equal(times.length, 4)
  for (const time of times.slice(1)) t.ok(time >= 60_000 && time <= 61_000, `${time} ms`)
})

t.test('a reload holds at once, and whoever gives up waiting loses nothing of the others', async t => {
  const { limits: shared, clock } = limits({ 'limits.up': '1K' })
  const place = await shared.enter('mdsftp', 'ada')
  while (place.send(16 * KIB, {}) === undefined) continue
  const stop = new AbortController()
  const given = place.send(16 * KIB, { signal: stop.signal })
  const kept = place.send(16 * KIB, {})
  stop.abort(new Error('enough'))
  await t.rejects(given as Promise<void>, { message: 'enough' })
  let let_ = false
  void kept?.then(() => { let_ = true })
  shared.configure(configuration({ 'limits.up': 'off' }))
  await clock.advance(1)
  t.ok(let_)
  t.equal(place.send(1_000_000, {}), undefined)
  t.equal(clock.pending, 0, 'no timer is left')
  const line = new Line('x', parseRate('1K'), clock, () => 0)
  line.take(16 * KIB)
  await t.rejects(line.take(1, { signal: AbortSignal.abort(new Error('gone')) }) as Promise<void>, { message: 'gone' })
})

t.test('whoever asks for little does not overtake whoever has waited for much', async t => {
  const clock = new VirtualClock()
  const line = new Line('x', parseRate('16K'), clock, () => 0)
  t.equal(line.take(16 * KIB), undefined)
  const order: string[] = []
  void line.take(16 * KIB)?.then(() => order.push('much'))
  await clock.advance(900)
  const little = line.take(1)
  t.not(little, undefined, 'it waits, though there would be enough for it')
  void little?.then(() => order.push('little'))
  await clock.advance(2000)
  t.same(order, ['much', 'little'])
})

t.test('connections, memory and disk are bounded, each with its two numbers', async t => {
  let memory = 0
  let free = 100
  const { limits: shared } = limits({ 'limits.connections': 2, 'limits.memory': 50, 'limits.disk_free': 100 }, { memory: () => memory, free: async () => free })
  const first = await shared.enter('ipc', 'a', '/disk')
  await shared.enter('ipc', 'b')
  await t.rejects(shared.enter('casync', 'c'), { code: 'ERR_REFUSED', message: '3 > 2 connections (limits.connections)' })
  first.leave()
  memory = 51
  await t.rejects(shared.enter('ipc', 'c'), { code: 'ERR_REFUSED', message: '51 > 50 bytes of memory (limits.memory)' })
  memory = 0
  free = 99
  await t.rejects(shared.enter('ipc', 'c', '/disk'), { code: 'ERR_REFUSED', message: '99 < 100 bytes free on the disk (limits.disk_free)' })
  t.equal(shared.connections, 1, 'who is refused takes no place')
  await shared.enter('ipc', 'c')
  t.equal(shared.connections, 2, 'who only reads needs no disk')
})

t.test('a rate is written as it is read', async t => {
  for (const text of ['off', '512K', '2M', '08:00,512K 19:00,off', '1500']) t.equal(formatRate(parseRate(text)), text)
})
