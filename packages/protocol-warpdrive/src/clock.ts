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

/** Runs with a signal that aborts with `signal`, or after `ms` with `ERR_TIMEOUT`. */
export async function within<T> (clock: Clock, ms: number, what: string, signal: AbortSignal | undefined, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  signal?.throwIfAborted()
  const controller = new AbortController()
  const stop = (): void => { controller.abort(signal?.reason) }
  signal?.addEventListener('abort', stop)
  const cancel = clock.after(ms, () => { controller.abort(new WarpdriveError('ERR_TIMEOUT', `${what}: nothing within ${ms} ms`)) })
  try {
    return await run(controller.signal)
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
