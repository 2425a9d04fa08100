import t from 'tap'
import { Room } from '../src/parallel.ts'

const { signal } = new AbortController()

t.test('a room takes so many, and the others in turn, as places are given back', async t => {
  const room = new Room(2)
  const [first, second] = [await room.enter(signal), await room.enter(signal)]
  const entered: string[] = []
  const third = room.enter(signal).then(leave => { entered.push('third'); return leave })
  const fourth = room.enter(signal).then(leave => { entered.push('fourth'); return leave })
  await turn()
  t.same(entered, [])
  second()
  await third
  await turn()
  t.same(entered, ['third'])
  first()
  await fourth
  t.same(entered, ['third', 'fourth'])
  for (const leave of [await third, await fourth]) leave()
  await Promise.all([room.enter(signal), room.enter(signal)])
})

t.test('who gives up waiting takes no place', async t => {
  const room = new Room(1)
  const leave = await room.enter(signal)
  const impatient = new AbortController()
  const waiting = room.enter(impatient.signal)
  const next = room.enter(signal)
  impatient.abort(new Error('enough'))
  await t.rejects(waiting, { message: 'enough' })
  await t.rejects(room.enter(impatient.signal), { message: 'enough' })
  leave()
  await next
})

async function turn (): Promise<void> {
  await new Promise<void>(resolve => { setImmediate(resolve) })
}
