/**
 * A process of this package from its start to its exit code: what it may read, write and know, and what ends it.
 *
 * @module
 */
import { performance } from 'node:perf_hooks'
import type { Context } from './context.ts'
import { RopewalkError } from './errors.ts'
import { Exit } from './exit-codes.ts'

/** What `engines` in package.json asks for: npm only warns of it. */
const LEAST_NODE = [22, 15] as const

/** Runs the command line of this process. */
export async function live (run: (argv: readonly string[], context: Context) => Promise<Exit>): Promise<void> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1])) {
    process.stderr.write(`ropewalk: this is Node ${process.versions.node}, and ropewalk needs ${LEAST_NODE.join('.')} or newer (ERR_NODE_VERSION)\n`)
    process.exitCode = Exit.usage
    return
  }
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
  // Lines that were gathered in this turn are written before.
  if (exit === Exit.interrupted) setImmediate(() => process.exit())
}
