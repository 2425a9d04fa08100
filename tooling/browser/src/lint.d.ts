declare module '@ropewalk/lint' {
  /** Packages that talk to the machine, by folder. */
  export const ADAPTERS: readonly string[]
}
