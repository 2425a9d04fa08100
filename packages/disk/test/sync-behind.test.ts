import { turn } from '@ropewalk/testing'
import t from 'tap'
import { BEHIND_BYTES, SyncBehind } from '../src/index.ts'

interface Watched {
  readonly behind: SyncBehind
  readonly begun: Array<PromiseWithResolvers<void>>
  readonly failures: unknown[]
}

function watched (unsynced?: number): Watched {
  const begun: Array<PromiseWithResolvers<void>> = []
  const failures: unknown[] = []
  const sync = (): Promise<void> => {
    const running = Promise.withResolvers<void>()
    begun.push(running)
    return running.promise
  }
  return { begun, failures, behind: new SyncBehind(sync, error => { failures.push(error) }, unsynced) }
}

t.test('a file is brought to the disk while more is written to it, each time so many bytes are', async t => {
  const { behind, begun, failures } = watched()
  for (let round = 1; round <= 3; round++) {
    behind.wrote(BEHIND_BYTES - 1)
    t.equal(begun.length, round - 1, 'not for less')
    behind.wrote(1)
    t.equal(begun.length, round, 'and at once')
    begun[round - 1]?.resolve()
    await behind.settled()
  }
  t.same(failures, [])
})

t.test('one at a time, and whoever waits for it waits to its end', async t => {
  const { behind, begun } = watched()
  await behind.settled()
  behind.wrote(BEHIND_BYTES)
  behind.wrote(5 * BEHIND_BYTES)
  t.equal(begun.length, 1)
  let settled = false
  const waiting = behind.settled().then(() => { settled = true })
  await turn()
  t.notOk(settled)
  begun[0]?.resolve()
  await waiting
  behind.wrote(BEHIND_BYTES - 1)
  t.equal(begun.length, 1)
  behind.wrote(1)
  t.equal(begun.length, 2)
})

t.test('what a file has already counts, however much that is', async t => {
  for (const [unsynced, first] of [[BEHIND_BYTES - 7, 7], [BEHIND_BYTES, 1], [9 * BEHIND_BYTES, 1]] as const) {
    const { behind, begun } = watched(unsynced)
    behind.wrote(first - 1)
    t.equal(begun.length, first === 1 ? 1 : 0)
    behind.wrote(1)
    t.equal(begun.length, 1)
    behind.wrote(BEHIND_BYTES - 2)
    begun[0]?.resolve()
    await behind.settled()
    behind.wrote(2)
    t.equal(begun.length, 2, 'from then on as ever')
  }
})

t.test('a failure is told, and waiting is no failure', async t => {
  const { behind, begun, failures } = watched()
  behind.wrote(BEHIND_BYTES)
  const lost = new Error('EIO')
  begun[0]?.reject(lost)
  await behind.settled()
  t.equal(failures.length, 1)
  t.equal(failures[0], lost)
  behind.wrote(BEHIND_BYTES)
  t.equal(begun.length, 2, 'it is the caller’s to write no more')
})
