/** Time as an argument: the same shape as that of `@ropewalk/testing`. */
export interface Clock {
  /** Milliseconds since some moment. */
  now (): number
  /** Calls `run` once, `ms` from now. Returns what cancels it. */
  after (ms: number, run: () => void): () => void
}

/** The clock of the machine. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after (ms, run) {
    const timer: unknown = setTimeout(run, ms)
    ;(timer as { unref?: () => void }).unref?.()
    return () => clearTimeout(timer as number)
  }
}
