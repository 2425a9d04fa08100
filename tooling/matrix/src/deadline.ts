/** `wait`, or an error after `ms`. The timer keeps the process alive: a case that hangs in memory must fail, not end the test. */
export async function within<T> (ms: number, wait: Promise<T>): Promise<T> {
  const expired = Promise.withResolvers<never>()
  const timer = setTimeout(() => expired.reject(new Error(`not over after ${ms} ms`)), ms)
  try {
    return await Promise.race([wait, expired.promise])
  } finally {
    clearTimeout(timer)
  }
}
