/** What a transfer tells while it runs. The library emits these; the command line prints them and `--json` writes them as NDJSON. */
export type TransferEvent =
  | TransferStarted
  | TransferProgress
  | TransferFinished
  | TransferFailed

interface TransferBase {
  /** Names the transfer within this process; every event of one transfer carries the same. */
  readonly transfer: string
  /** What a person calls it: a file name. Chosen by others: escape it before it is shown. */
  readonly name: string
  readonly direction: 'send' | 'receive'
}

export interface TransferStarted extends TransferBase {
  readonly event: 'started'
  /** Bytes that will move, where it is known. */
  readonly size?: number | undefined
  /** So many of them were there before, and count as moved. */
  readonly present?: number | undefined
}

export interface TransferProgress extends TransferBase {
  readonly event: 'progress'
  /** Bytes moved so far; never decreases within a transfer. */
  readonly bytes: number
  readonly size?: number | undefined
}

export interface TransferFinished extends TransferBase {
  readonly event: 'finished'
  readonly bytes: number
}

export interface TransferFailed extends TransferBase {
  readonly event: 'failed'
  readonly bytes: number
  /** A stable code, for instance `ERR_NOT_FOUND`. */
  readonly code: string
  readonly message: string
}
