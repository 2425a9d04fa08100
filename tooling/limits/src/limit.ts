export type Unit = 'bytes' | 'ms' | 'characters' | 'a second' | 'pieces' | 'fragments' | 'packets' | 'channels' | 'connections' | 'frames' | 'files' | 'levels' | 'names' | 'items'

/** A number beyond which something else happens. Its value is not here: it comes from the package. */
export interface Limit {
  /** The name of the constant. */
  readonly constant: string
  /** What it limits, in a few words. */
  readonly of: string
  readonly unit: Unit
  /** The option that changes it, if there is one. */
  readonly option?: string
  /** What happens beyond it. */
  readonly beyond: string
  /** The code of the error that comes then. Many limits make somebody wait instead. */
  readonly code?: string
  /** The test that fails without it: a file in `test/` of the package, and the title as it stands there. */
  readonly test: readonly [file: string, title: string]
}

/** The limits of one package. */
export interface PackageLimits {
  /** Its folder in `packages/`. */
  readonly folder: string
  readonly limits: readonly Limit[]
  /** Exported numbers that bound nothing, with the reason. */
  readonly others: Readonly<Record<string, string>>
  /** What the package exports. */
  readonly exports: () => Promise<object>
}
