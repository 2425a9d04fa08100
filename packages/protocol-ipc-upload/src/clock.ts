import type { Clock } from './ports.ts'

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, Math.min(ms, LONGEST_MS))
    // A limit on waiting is no reason to wait: where timers can keep a process from ending, ours do not.
    if (typeof timer === 'object') timer.unref()
    return () => { clearTimeout(timer) }
  }
}

/** Longer, and a timer would run at once. */
const LONGEST_MS = 2_147_483_647
