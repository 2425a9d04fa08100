import { collect, duplexPair, turn } from '@ropewalk/testing'
import t from 'tap'
import type { ActivityChange } from '../src/activity/activity.ts'
import { ActivityBoard, MAX_TRANSFERS, STILL_MS } from '../src/activity/board.ts'
import { MAX_CHANGES } from '../src/activity/changes.ts'
import { metered } from '../src/activity/metered.ts'

function board (): { board: ActivityBoard, wait: (ms: number) => void } {
  let now = 1_000_000
  return { board: new ActivityBoard({ now: () => now }), wait: ms => { now += ms } }
}

const FILE = { protocol: 'ipc', direction: 'in', name: 'a', size: 100 } as const

t.test('a transfer runs, waits when nothing moves, and is over once', async t => {
  const { board: activity, wait } = board()
  const incoming = activity.begin({ ...FILE, peer: 'ada', bytes: 10 })
  const at = () => activity.transfer(incoming.id)
  t.match(at(), { protocol: 'ipc', direction: 'in', name: 'a', size: 100, bytes: 10, peer: 'ada', state: 'running', waitsFor: undefined, startedAt: 1_000_000 })
  wait(STILL_MS)
  t.match(at(), { state: 'waiting', waitsFor: 'bytes from the peer', waitsSince: 1_000_000 })
  incoming.moved(5)
  t.match(at(), { state: 'waiting', bytes: 10 }, 'bytes never become fewer')
  incoming.moved(50)
  t.match(at(), { state: 'running', bytes: 50, changedAt: 1_002_000 })
  incoming.waiting('the disk')
  wait(7000)
  t.match(at(), { state: 'waiting', waitsFor: 'the disk', waitsSince: 1_002_000 })
  incoming.failed(Object.assign(new Error('no space'), { code: 'ERR_NO_SPACE' }))
  incoming.done()
  incoming.moved(100)
  t.match(at(), { state: 'failed', bytes: 50, waitsFor: undefined, endedAt: 1_009_000, error: { code: 'ERR_NO_SPACE', message: 'no space' } })

  const outgoing = activity.begin({ ...FILE, direction: 'out' })
  const held = activity.begin({ ...FILE, direction: 'out', holds: () => 'the limit of 1 MiB a second' })
  wait(12_000)
  t.match(activity.transfer(outgoing.id), { waitsFor: 'the peer\'s window', waitsSince: 1_009_000 })
  t.match(activity.transfer(held.id), { waitsFor: 'the limit of 1 MiB a second' })
  t.not(outgoing.id, held.id)
})

t.test('the events of a library become transfers, each for itself', async t => {
  const { board: activity } = board()
  const follow = activity.follow({ protocol: 'mdsftp', peer: 'desk' })
  const one = { transfer: '1', name: 'x', direction: 'send' } as const
  const two = { transfer: '2', name: 'y', direction: 'receive' } as const
  follow({ event: 'started', ...one, size: 3 })
  follow({ event: 'started', ...two })
  follow({ event: 'progress', ...two, bytes: 2 })
  follow({ event: 'finished', ...one, bytes: 3 })
  follow({ event: 'failed', ...two, bytes: 2, code: 'ERR_X', message: 'no' })
  follow({ event: 'failed', ...two, bytes: 2, code: 'ERR_Y', message: 'again' })
  t.match(activity.list().transfers, [
    { name: 'x', direction: 'out', size: 3, bytes: 3, state: 'done', peer: 'desk' },
    { name: 'y', direction: 'in', size: undefined, bytes: 2, state: 'failed', error: { code: 'ERR_X', message: 'no' } }
  ])
  t.equal(activity.list().transfers.length, 2, 'what is over does not begin again')
  follow({ event: 'started', ...one, size: 3 })
  t.equal(activity.list().transfers.length, 3, 'the same name later is another transfer')
})

t.test('transfers are bounded: what ended first goes first, and names are cut', async t => {
  const { board: activity, wait } = board()
  const begun = Array.from({ length: MAX_TRANSFERS }, () => activity.begin(FILE))
  begun[7]?.done()
  wait(1)
  begun[3]?.done()
  activity.begin({ ...FILE, name: 'n'.repeat(5000) })
  t.equal(activity.list().transfers.length, MAX_TRANSFERS)
  t.equal(activity.transfer(begun[7]?.id ?? ''), undefined)
  t.match(activity.transfer(begun[3]?.id ?? ''), { state: 'done' })
  t.equal(activity.list().transfers.at(-1)?.name.length, 1024)
  activity.begin(FILE)
  activity.begin(FILE)
  t.equal(activity.transfer(begun[3]?.id ?? ''), undefined)
  t.equal(activity.transfer(begun[0]?.id ?? ''), undefined, 'and then the oldest')
})

t.test('whoever listens hears the last state of everything, in bounded memory, until the signal', async t => {
  const { board: activity } = board()
  const stop = new AbortController()
  const changes = activity.changes({ signal: stop.signal })
  const transfer = activity.begin(FILE)
  for (let bytes = 1; bytes <= 100; bytes++) transfer.moved(bytes)
  transfer.done()
  t.match(await changes.next(), { value: { change: 'transfer', transfer: { id: transfer.id, bytes: 100, state: 'done' } } })

  const waiting = changes.next()
  const late = activity.begin(FILE)
  t.match(await waiting, { value: { transfer: { id: late.id, state: 'running' } } }, 'a reader that waits is woken')

  for (let i = 0; i < MAX_CHANGES + 1; i++) activity.begin(FILE)
  const rest: ActivityChange[] = []
  stop.abort()
  for await (const change of changes) rest.push(change)
  t.match(rest, [{ change: 'lost' }, { change: 'transfer' }])
  t.equal(rest.length, 2)
  activity.begin(FILE)
  t.match(await changes.next(), { done: true }, 'nothing after the end')
})

t.test('connections are shown with what has gone over them and with their channels', async t => {
  const { board: activity } = board()
  const stop = new AbortController()
  const changes = activity.changes({ signal: stop.signal })
  const [here, there] = duplexPair()
  const seen = activity.connect(here, { protocol: 'mdsftp', muxer: 'mdsftp' })
  seen.muxedBy({ size: 300, * channels () { for (let id = 0; id < 300; id++) yield { id, sendRoom: 1, unread: 2, waiting: 3 } } })
  const got = collect(there.source)
  await seen.connection.sink([new Uint8Array(70), new Uint8Array(7)])
  t.equal((await got).length, 77)
  const back = collect(seen.connection.source)
  await there.sink([new Uint8Array(5)])
  t.equal((await back).length, 5)
  const [shown] = activity.list().connections
  t.match(shown, { protocol: 'mdsftp', muxer: 'mdsftp', address: here.remote.address, bytesIn: 5, bytesOut: 77, open: 300 })
  t.equal(shown?.channels.length, 256)
  seen.end()
  seen.end()
  t.same(activity.list().connections, [])
  stop.abort()
  const told: string[] = []
  for await (const { change } of changes) told.push(change)
  t.same(told, ['connected', 'disconnected'])
})

t.test('a gate holds both directions of a connection, also on the fast lane', async t => {
  const [here, there] = duplexPair()
  const gates: Array<() => void> = []
  const wait = (): Promise<void> => new Promise(resolve => { gates.push(resolve) })
  const counted = { in: 0, out: 0 }
  const gate = { send: wait, receive: wait }
  const connection = metered(here, { received: bytes => { counted.in += bytes }, sent: bytes => { counted.out += bytes }, gate })
  const sunk = connection.sink([new Uint8Array(9)])
  await turn()
  t.same(counted, { in: 0, out: 0 }, 'nothing is sent before it may be')
  gates.shift()?.()
  await sunk
  t.equal(counted.out, 9)

  let flowing = true
  const flow = metered({ ...connection, attach: receiver => {
    receiver.bytes(new Uint8Array(3))
    return { pause: () => { flowing = false }, resume: () => { flowing = true } }
  } }, { received: () => {}, sent: () => {} }).attach?.({ bytes: () => {}, end: () => {} })
  flow?.pause()
  t.equal(flowing, false)

  let push: (bytes: Uint8Array) => void = () => {}
  const lane = metered({ ...connection, attach: receiver => {
    push = bytes => { receiver.bytes(bytes) }
    return { pause: () => { flowing = false }, resume: () => { flowing = true } }
  } }, { received: () => {}, sent: () => {}, gate }).attach?.({ bytes: () => {}, end: () => {} })
  flowing = true
  push(new Uint8Array(3))
  t.equal(flowing, false, 'what came is handed on, and then nothing more is read')
  lane?.resume()
  t.equal(flowing, false, 'not even when the reader wants more')
  gates.shift()?.()
  await turn()
  t.equal(flowing, true)
  there.abort(new Error('over'))
})
