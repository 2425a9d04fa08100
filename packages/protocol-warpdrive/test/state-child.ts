/** Puts offers, says how many, and goes on until it is killed. */
import { writeSync } from 'node:fs'
import { openSqliteState } from '../src/node/index.ts'

const state = await openSqliteState(process.argv[2] as string)
await state.load()
await state.putPeer({ id: 'p', alias: '', mod: 'block' })
for (let number = 0; ; number++) {
  const offer = { id: `${number}`, incoming: true, status: 'awaiting', index: -1, progress: 0, updatedAt: 1, createdAt: 1, peer: 'p', files: [], digest: 'd', done: [], parts: [], failures: [] } as const
  await state.putOffer(offer)
  await state.putOffer({ ...offer, status: 'updated', progress: 5 })
  if (number === 20) writeSync(1, `${number}`)
}
