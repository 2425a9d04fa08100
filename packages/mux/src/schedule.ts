/**
 * Runs `task` when everything that this turn of the event loop set in motion has run: all that became writable
 * meanwhile goes into one write.
 */
export function afterThisTurn (task: () => void): void {
  if (nextTick === undefined) void Promise.resolve().then(() => Promise.resolve().then(() => Promise.resolve().then(task)))
  else queueMicrotask(() => nextTick(task))
}

/** Runs `task` when what is ready to be read has been read: a little later than `afterThisTurn`, so that more comes together. */
export function whenIdle (task: () => void): void {
  if (setImmediate === undefined) afterThisTurn(task)
  else setImmediate(task)
}

const { setImmediate } = globalThis as { setImmediate?: (task: () => void) => void }

// Node, Deno and Bun run it after the microtasks; a browser has nothing like it but further microtasks.
const { nextTick } = (globalThis as { process?: { nextTick?: (task: () => void) => void } }).process ?? {}
