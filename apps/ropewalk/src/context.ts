import type { Readable } from 'node:stream'
import type { Output } from './progress/report.ts'

/** Where a token may stand instead of in a file. */
export const TOKEN_VARIABLE = 'ROPEWALK_TOKEN'

/** The world of a command: what it may read, write and know. */
export interface Context {
  readonly stdin: Readable & { readonly isTTY?: boolean | undefined }
  readonly stdout: Output & NodeJS.WritableStream
  readonly stderr: Output & NodeJS.WritableStream
  readonly env: NodeJS.ProcessEnv
  /** Aborted when somebody wants the command to end: Ctrl-C, SIGTERM. */
  readonly signal: AbortSignal
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** Calls `listener` at every SIGHUP, until the function that it returns is called. */
  readonly onHangup?: ((listener: () => void) => () => void) | undefined
}
