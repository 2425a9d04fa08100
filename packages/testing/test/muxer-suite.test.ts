import t from 'tap'
import { muxerCases, muxerSuite, runMuxerCase } from '../src/muxer-suite.ts'
import { toyMuxers, type Flaw } from './toy-muxer.ts'

const SMALL = { sequentialChannels: 300, maxBufferedBytesPerChannel: 65_536 }

t.test('a toy without a flaw passes every case', t => muxerSuite(t, () => toyMuxers(), SMALL))

/** Which case is there for which flaw. A flaw may fail others as well. */
const TARGETS: Array<[Flaw, string[]]> = [
  ['reorders', ['order', 'both-ways-1mib', 'both-ways-8mib']],
  ['loses the last chunk', ['last-chunk', 'echo', 'half-close-opener']],
  ['no backpressure', ['slow-consumer', 'many-slow-consumers']],
  ['closes both directions', ['half-close-opener', 'half-close-acceptor', 'half-close-prompt']],
  ['hangs on death', ['death-reset', 'death-end']],
  ['quiet death', ['death-reset', 'death-end']],
  ['quiet abort', ['abort-opener', 'abort-acceptor', 'residue-reset']],
  ['quiet throw', ['throwing-source']],
  ['break is ignored', ['break-source']],
  ['deaf to signals', ['signal-sink', 'signal-open', 'close-signal']],
  ['close cuts', ['close-finishes']],
  ['close refuses nothing', ['close-finishes']],
  ['one sink at a time', ['hundred-at-once', 'saturated', 'fairness']],
  ['dispose does nothing', ['dispose']],
  ['forgets to forget', ['residue-closed', 'residue-at-once']],
  ['residue', ['residue-closed', 'residue-reset']]
]

for (const [flaw, ids] of TARGETS) {
  t.test(`a toy that "${flaw}" fails ${ids.join(', ')}`, async t => {
    for (const id of ids) {
      const found = muxerCases.find(each => each.id === id)
      if (found == null) throw new RangeError(id)
      await t.rejects(runMuxerCase(found, () => toyMuxers(flaw), { ...SMALL, bulkBytes: 16 * 1024 * 1024, deadlineMs: 250 }), { code: /^ERR_/ }, id)
    }
  })
}

t.test('a known failure that passes is a failure, and so is an id that does not exist', async t => {
  const bodies: Array<(t: object) => Promise<void>> = []
  const recorder = { test: (_name: string, _options: object, body: (t: object) => Promise<void>) => { bodies.push(body) } }
  await muxerSuite(recorder, () => toyMuxers(), { known: { [muxerCases[0]?.id ?? '']: 'a figure' } })
  await t.rejects(bodies[0]?.({}) ?? Promise.resolve(), { code: 'ERR_NOT_MET', message: /passes/ })
  await t.resolves(bodies[1]?.({}) ?? Promise.reject(new Error('no second case')), 'the others are run as usual')
  await t.rejects(muxerSuite(recorder, () => toyMuxers(), { known: { nonsense: '' } }), RangeError)
})

t.test('a failure reaches the test, and a wire without half-close skips what needs it', async t => {
  const names: string[] = []
  const skipped: string[] = []
  const outcomes: Array<Promise<void>> = []
  const recorder = {
    async test (name: string, { skip }: { skip?: string | false }, body: (t: object) => Promise<void>) {
      names.push(name)
      if (skip) skipped.push(skip)
      else if (name.startsWith('last-chunk')) outcomes.push(body({}))
    }
  }
  await muxerSuite(recorder, () => toyMuxers('loses the last chunk'), { halfClose: false, deadlineMs: 250 })
  t.equal(names.length, muxerCases.length)
  t.same(skipped, Array(3).fill('no halfClose on this wire'))
  await t.rejects(outcomes[0] ?? Promise.resolve(), { code: 'ERR_UNEXPECTED_END' })
})

t.test('ids are unique, and every case says what it proves in one line', async t => {
  t.equal(new Set(muxerCases.map(({ id }) => id)).size, muxerCases.length)
  t.same(muxerCases.filter(({ proves }) => !/^[^\n]{20,160}$/.test(proves)), [])
})
