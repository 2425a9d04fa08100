/**
 * Time as an argument.
 *
 * @module
 */
import { WarpdriveError } from './errors.ts'

export interface Clock {
  /** Milliseconds since 1970. */
  now (): number
  /** Calls `run` once, `ms` from now. Returns what cancels it. */
  after (ms: number, run: () => void): () => void
}

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    return () => { clearTimeout(timer) }
  }
}

/** Runs with a signal that aborts with `signal`, or with `ERR_TIMEOUT` `ms` after the beginning, or after `heard` was last called. */
export async function within<T> (clock: Clock, ms: number, what: string, signal: AbortSignal | undefined, run: (signal: AbortSignal, heard: () => void) => Promise<T>): Promise<T> {
  signal?.throwIfAborted()
  const controller = new AbortController()
  const stop = (): void => { controller.abort(signal?.reason) }
  signal?.addEventListener('abort', stop)
  // A timer for each call of `heard` would cost more than what was heard: it is looked when the first one is over.
  let heardAt: number | undefined
  const over = (): void => {
    // A clock that was set back must not lengthen it.
    const left = heardAt === undefined ? 0 : Math.min(ms, heardAt + ms - clock.now())
    heardAt = undefined
    if (left > 0) cancel = clock.after(left, over)
    else controller.abort(new WarpdriveError('ERR_TIMEOUT', `${what}: nothing within ${ms} ms`))
  }
  let cancel = clock.after(ms, over)
  try {
    return await run(controller.signal, () => { heardAt = clock.now() })
  } finally {
    cancel()
    signal?.removeEventListener('abort', stop)
  }
}

/** Resolves `ms` from now. */
export async function pause (clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const stop = (): void => { reject(signal.reason) }
  const cancel = clock.after(ms, resolve)
  signal.addEventListener('abort', stop)
  try {
    await promise
  } finally {
    cancel()
    signal.removeEventListener('abort', stop)
  }
}
