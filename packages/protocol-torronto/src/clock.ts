/** Time as an argument: a swarm reads no clock but the one it is given. */
export interface Clock {
  /** Milliseconds since some moment, never going back. */
  now (): number
  /** Calls `run` once, `ms` from now. Returns what cancels it. */
  after (ms: number, run: () => void): () => void
}

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, Math.min(ms, 2_147_483_647))
    return () => { clearTimeout(timer) }
  }
}
