/**
 * Runs `task` when everything that this turn of the event loop set in motion has run: all that became writable
 * meanwhile goes into one write.
 */
export function afterThisTurn (task: () => void): void {
  if (nextTick === undefined) void Promise.resolve().then(() => Promise.resolve().then(() => Promise.resolve().then(task)))
  else queueMicrotask(() => nextTick(task))
}

// Node, Deno and Bun run it after the microtasks; a browser has nothing like it but further microtasks.
const { nextTick } = (globalThis as { process?: { nextTick?: (task: () => void) => void } }).process ?? {}
