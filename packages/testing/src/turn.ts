const { setImmediate } = globalThis as { setImmediate?: (run: () => void) => unknown }

/** Lets everything that is ready happen: all waiting promise reactions, then one turn of the event loop, I/O included. */
export function turn (): Promise<void> {
  return new Promise(resolve => {
    if (setImmediate != null) setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
}

/** Takes turns until `measure` has given the same value for `turns` (50) turns on end; gives that value. No clock is involved. */
export async function settle<T> (measure: () => T, options: { turns?: number, signal?: AbortSignal } = {}): Promise<T> {
  const turns = options.turns ?? 50
  let value = measure()
  for (let still = 0; still < turns; still++) {
    options.signal?.throwIfAborted()
    await turn()
    const next = measure()
    if (!Object.is(next, value)) still = -1
    value = next
  }
  return value
}
