/**
 * What every muxer must do, as tests that any muxer can run.
 *
 * ```ts
 * import t from 'tap'
 * import { muxerSuite } from '@ropewalk/testing/muxer-suite'
 *
 * await muxerSuite(t, ({ connect }) => {
 *   const [left, right] = connect()
 *   return { left: myMuxer(left, { role: 'dialer' }), right: myMuxer(right, { role: 'acceptor' }) }
 * })
 * ```
 *
 * @module
 */
import { TestingError } from './errors.ts'
import { closingCases } from './muxer-closing.ts'
import { deathCases } from './muxer-death.ts'
import { exchangeCases } from './muxer-exchange.ts'
import { fairnessCases } from './muxer-fairness.ts'
import { halfCloseCases } from './muxer-half-close.ts'
import { pressureCases } from './muxer-pressure.ts'
import { resetCases } from './muxer-reset.ts'
import { residueCases } from './muxer-residue.ts'
import { DEFAULT_PROMISES, runMuxerCase, type MakeMuxers, type MuxerCase, type MuxerPromises } from './muxer-stage.ts'

export { abuseCases, abuseSuite, runAbuseCase } from './muxer-abuse.ts'
export type { AbuseCase, AbusePromises, AbuseSuiteOptions, Dialect, MakeVictim } from './muxer-abuse.ts'
export { DEFAULT_PROMISES, runMuxerCase } from './muxer-stage.ts'
export type { Line, MakeMuxers, MuxerCase, MuxerPair, MuxerPromises, Stage } from './muxer-stage.ts'

/** The part of a test framework that the suite uses: the `t` of tap and of node:test fit. */
export interface Test {
  test (name: string, options: { skip?: string | false }, body: (t: { pass?: (message: string) => unknown }) => Promise<void>): unknown
}

export interface MuxerSuiteOptions extends Partial<MuxerPromises> {
  /**
   * Cases that this muxer is known to fail, by id, with what was seen. They are run all the same, and it is a failure
   * when one of them passes: the list stays true.
   */
  known?: Readonly<Record<string, string>>
}

/** Every case, in the order in which they are run: what is simple first. */
export const muxerCases: readonly MuxerCase[] = [
  ...exchangeCases,
  ...halfCloseCases,
  ...resetCases,
  ...closingCases,
  ...deathCases,
  ...pressureCases,
  ...fairnessCases,
  ...residueCases
]

/** Runs every case, each with a pair of muxers of its own. */
export async function muxerSuite (t: Test, make: MakeMuxers, options: MuxerSuiteOptions = {}): Promise<void> {
  const { known = {}, ...promises } = options
  const unknown = Object.keys(known).filter(id => !muxerCases.some(each => each.id === id))
  if (unknown.length > 0) throw new RangeError(`no such case: ${unknown.join(', ')}`)

  for (const each of muxerCases) {
    const skip = each.needs != null && !(promises[each.needs] ?? DEFAULT_PROMISES[each.needs]) && `no ${each.needs} on this wire`
    const figure = known[each.id]
    const name = `${each.id}: ${each.proves}${figure == null ? '' : ` (known to fail: ${figure})`}`
    await t.test(name, { skip }, async (t: { pass?: (message: string) => unknown }) => {
      const result = figure == null ? await runMuxerCase(each, make, promises) : await failsAsKnown(each, make, promises)
      // `pass` where there is one: tap takes a test without an assertion for an empty one.
      t.pass?.(result ?? 'done')
    })
  }
}

async function failsAsKnown (each: MuxerCase, make: MakeMuxers, promises: Partial<MuxerPromises>): Promise<string> {
  try {
    await runMuxerCase(each, make, promises)
  } catch (error) {
    return `failed as known: ${String(error)}`
  }
  throw new TestingError('ERR_NOT_MET', `${each.id} passes: take it off the list of known failures`)
}
