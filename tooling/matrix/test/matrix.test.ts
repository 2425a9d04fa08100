import { mkdirSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { CASES, type Case } from '../src/cases.ts'
import { within } from '../src/deadline.ts'
import { MUXERS, type MuxerEntry } from '../src/muxers.ts'
import { KNOWN, nameOf, page, type Cell } from '../src/table.ts'
import { TRANSPORTS, type TransportEntry } from '../src/transports.ts'

const DEADLINE_MS = 30_000

const cells: Cell[] = []

for (const transport of TRANSPORTS) {
  for (const muxer of MUXERS) {
    t.test(`${transport.name}, ${muxer.name}`, async t => {
      for (const each of CASES) {
        const cell = { transport: transport.name, muxer: muxer.name, case: each.name }
        if (each.many === true && !muxer.many) {
          cells.push({ ...cell, outcome: 'n/a' })
          continue
        }
        const error = await play(each, transport, muxer)
        cells.push({ ...cell, outcome: error === undefined ? 'yes' : 'no' })
        const reason = KNOWN[nameOf(cell)]
        if (reason === undefined) t.equal(error, undefined, `${each.name}: ${each.proves}`)
        else t.type(error, 'string', `${each.name} is known not to work: ${reason}`)
      }
    })
  }
}

t.test('the page says what was seen', async t => {
  const text = page(cells, CASES)
  t.equal(text.split('\n').filter(line => /^\| (memory|tcp|tls|unix|ws|stdio) /.test(line)).length, TRANSPORTS.length * MUXERS.length)
  const docs = new URL('../../../docs/', import.meta.url)
  mkdirSync(docs, { recursive: true })
  writeFileSync(new URL('matrix.md', docs), text)
})

/** What the case failed with. */
async function play (each: Case, transport: TransportEntry, muxer: MuxerEntry): Promise<string | undefined> {
  const stage = await transport.connect(muxer)
  const channels = muxer.make(stage.near, 'dialer')
  try {
    await within(DEADLINE_MS, each.run(channels, stage, muxer))
    return undefined
  } catch (error) {
    return String(error)
  } finally {
    channels.abort(new Error('the case is over'))
    await stage.dispose()
  }
}
