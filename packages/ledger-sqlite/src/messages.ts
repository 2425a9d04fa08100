import type { LedgerErrorCode } from './errors.ts'
import type { Steps } from './steps.ts'

export type StepName = keyof Steps

/** One step for the worker. */
export interface Ask {
  readonly number: number
  readonly step: StepName
  readonly values: readonly unknown[]
  /** It must survive loss of power. */
  readonly lasting: boolean
}

/** What the worker is asked to do before it ends. */
export interface Leave { readonly number: number, readonly step: 'close' }

export type Told =
  | { readonly number: number, readonly value: unknown }
  | { readonly number: number, readonly code: LedgerErrorCode, readonly message: string }

/** What the worker tells. `ready`: it has done the last batch, and takes the next. */
export interface Answers { readonly told: readonly Told[], readonly ready: boolean }

export interface WorkerSettings { readonly path: string, readonly maxFileBytes: number }
