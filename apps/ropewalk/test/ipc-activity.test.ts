import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { UploadPlan } from '@ropewalk/protocol-ipc-upload'
import { openUploadStore } from '@ropewalk/protocol-ipc-upload/node'
import t from 'tap'
import { ActivityBoard } from '../src/activity/board.ts'
import { ReportedUploads } from '../src/services/ipc-activity.ts'
import { folder } from './processes.ts'

const BLOCK = 1000

t.test('a store that is reported reads ranges of many blocks as well, and tells of them', async t => {
  const content = randomBytes(2500)
  const plan: UploadPlan = { id: randomUUID(), owner: 7, blockBytes: BLOCK, files: [{ name: 'a', size: content.length, digest: createHash('sha256').update(content).digest('hex') }], tags: [], createdAt: 0 }
  const board = new ActivityBoard()
  const store = await openUploadStore(await folder(t))
  const reported = new ReportedUploads(store, board)
  await reported.create(plan)
  await reported.write(plan, [0, 1, 2].map(index => ({ file: 0, index, bytes: content.subarray(index * BLOCK, (index + 1) * BLOCK) })))
  t.same(await reported.readRange?.(plan, 0, 0, 2500), new Uint8Array(content), 'what is read to be hashed goes nowhere')
  await reported.finish(plan, 0)
  t.match(board.list().transfers, [{ direction: 'in', state: 'done', bytes: 2500 }])
  t.equal(board.list().transfers.length, 1)

  const open = reported.readOnly()
  await t.rejects(open.create(plan), { code: 'ERR_REFUSED' })
  await t.resolves(open.finish(plan, 0), 'a node that opens what is whole is not one who writes')
  for (const store of [reported, open]) {
    t.match(await store.open(plan.id), { missing: [] })
    await store.readRange?.(plan, 0, 0, 2500)
    await store.finish(plan, 0)
  }
  t.equal(board.list().transfers.length, 1, 'what a node reads to hash it again goes nowhere either')
  t.same(await open.readRange?.(plan, 0, 0, 1500), new Uint8Array(content.subarray(0, 1500)))
  t.match(board.list().transfers[1], { direction: 'out', state: 'running', bytes: 1500, size: 2500 })
  t.same(await open.readRange?.(plan, 0, 1500, 1000), new Uint8Array(content.subarray(1500)))
  t.match(board.list().transfers[1], { direction: 'out', state: 'done', bytes: 2500 })

  const blockwise = Object.create(store, { readRange: { value: undefined } }) as typeof store
  t.equal(new ReportedUploads(blockwise, board).readRange, undefined, 'only where the store does')
})
