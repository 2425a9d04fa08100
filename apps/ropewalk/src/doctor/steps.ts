/**
 * What `doctor` looks at, one step after the other. Each finds that something is well, or says what is wrong and what to do; what comes behind a
 * step that failed is not tried.
 *
 * @module
 */
import { codeOf, messageOf } from '../errors.ts'

export type Outcome = 'ok' | 'warning' | 'failed' | 'skipped'

export interface Finding {
  readonly step: string
  readonly outcome: Outcome
  readonly message: string
  readonly advice: readonly string[]
  readonly code?: string | undefined
}

export interface Step {
  readonly name: string
  /** What was found, in words; rejects with what is wrong. */
  readonly run: () => Promise<string | { readonly warning: string, readonly advice: readonly string[] }>
  readonly advice: (error: unknown) => readonly string[]
  /** The steps behind it need it. */
  readonly needed?: boolean | undefined
}

export async function * examine (steps: readonly Step[]): AsyncGenerator<Finding, void, undefined> {
  let broken: string | undefined
  for (const { name, run, advice, needed = false } of steps) {
    if (broken !== undefined) {
      yield { step: name, outcome: 'skipped', message: `not tried: ${broken} failed`, advice: [] }
      continue
    }
    try {
      const found = await run()
      if (typeof found === 'string') yield { step: name, outcome: 'ok', message: found, advice: [] }
      else yield { step: name, outcome: 'warning', message: found.warning, advice: found.advice }
    } catch (error) {
      yield { step: name, outcome: 'failed', message: messageOf(error), advice: advice(error), code: codeOf(error) }
      if (needed) broken = name
    }
  }
}
