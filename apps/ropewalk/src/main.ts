#!/usr/bin/env node
import { performance } from 'node:perf_hooks'
import { RopewalkError } from './errors.ts'
import { Exit } from './exit-codes.ts'
import { run } from './program.ts'

const interrupt = new AbortController()

function stop (): void {
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
  now: () => performance.now()
})

process.exitCode = exit
// Otherwise Node ends by itself, when the last byte is written: here whoever should read it may never do so.
if (exit === Exit.interrupted) process.exit()
