/**
 * Who moves files in suite `transfer`: a program that keeps files, and a program that brings and fetches them.
 *
 * @module
 */

/** What lies between the two. */
export type Carrier = 'tcp' | 'tls'

/** Where one measurement keeps its things; made for it, removed after it. */
export interface Place {
  /** What is sent: a directory with nothing else in it, and the names of the files there. */
  readonly source: string
  readonly names: readonly string[]
  /** Where the server keeps what it gets. An empty directory. */
  readonly kept: string
  /** Where the client puts what it fetches. An empty directory. */
  readonly fetched: string
  /** Keys and the like. */
  readonly state: string
}

/** A program and how to call it. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv | undefined
  /**
   * Seconds that the transfer itself took, by the program's own account of what it printed. Absent: the whole time of the
   * program, less that of `idle`.
   */
  readonly own?: ((stdout: string) => number) | undefined
  /** The same program with next to nothing to do: what it takes to start and to connect. */
  readonly idle?: Command | undefined
}

/** A server that runs. */
export interface Keeper {
  /** Its process, whose CPU seconds and memory count, with those of its children; undefined where there is no server. */
  readonly pid: number | undefined
  put (): Command
  /** Fetches what the last `put` stored. `stdout` is what that printed. */
  get (stdout: string): Command
  stop (): Promise<void>
}

export interface Mover {
  readonly about: string
  readonly carriers: readonly Carrier[]
  /** Why it cannot run here; undefined when it can. */
  readonly missing?: (() => Promise<string | undefined>) | undefined
  /** Debian packages that `--install` gets. */
  readonly packages?: readonly string[] | undefined
  serve (place: Place, carrier: Carrier): Promise<Keeper>
}
