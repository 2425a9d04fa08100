/**
 * A process of this package from its start to its exit code: what it may read, write and know, and what ends it.
 *
 * @module
 */
import { performance } from 'node:perf_hooks'
import type { Context } from './context.ts'
import { RopewalkError } from './errors.ts'
import { Exit } from './exit-codes.ts'

/** Runs the command line of this process. */
export async function live (run: (argv: readonly string[], context: Context) => Promise<Exit>): Promise<void> {
  const interrupt = new AbortController()
  const stop = (): void => {
    // Whoever asks twice does not want to wait.
    if (interrupt.signal.aborted) process.exit(Exit.interrupted)
    interrupt.abort(new RopewalkError('ERR_USER_INTERRUPT', 'interrupted'))
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)

  // Whoever reads our output may stop reading, as `head` does: then there is nobody left to tell.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? Exit.failed)
      throw error
    })
  }

  const exit = await run(process.argv.slice(2), {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    signal: interrupt.signal,
    now: () => performance.now(),
    onHangup: listener => {
      process.on('SIGHUP', listener)
      return () => { process.off('SIGHUP', listener) }
    }
  })

  process.exitCode = exit
  // Otherwise Node ends by itself, when the last byte is written: here whoever should read it may never do so.
  if (exit === Exit.interrupted) process.exit()
}
