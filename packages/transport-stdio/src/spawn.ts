/**
 * Starting a child whose stdin and stdout are the connection.
 *
 * @module
 */
import { type ChildProcess, spawn as spawnProcess } from 'node:child_process'
import { basename } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import type { AbortOptions, Connection, RemoteInfo } from '@ropewalk/interface'
import { Child, type ChildOptions } from './child.ts'
import { PipeConnection, type PipeOptions } from './connection.ts'
import { type Exit, TransportError } from './errors.ts'
import { withReadBuffer } from './read-buffer.ts'

export interface SpawnOptions extends AbortOptions, PipeOptions, ChildOptions {
  /** The child's whole environment, instead of ours. */
  env?: Record<string, string | undefined> | undefined
  cwd?: string | undefined
  /** What the child is called in `remote` and in errors. By default the name of its program. */
  name?: string | undefined
}

/** A connection to a child. Aborting it ends the child; disposing it waits for the child's exit. */
export interface ChildConnection extends Connection {
  readonly pid: number
  /** How the child ended. Never rejects. */
  readonly exited: Promise<Exit>
}

/**
 * Starts `command`, never through a shell, so that nothing in `args` is more than an argument. Rejects with `ERR_SPAWN`, or with the
 * signal's reason. The signal is about starting: to end a child that runs, abort the connection.
 */
export async function spawn (command: string, args: readonly string[] = [], options: SpawnOptions = {}): Promise<ChildConnection> {
  const { signal, env, cwd, name = basename(command) } = options
  signal?.throwIfAborted()
  const process = spawnProcess(command, args, {
    shell: false,
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
    ...(env == null ? {} : { env }),
    ...(cwd == null ? {} : { cwd })
  })
  await started(process, name)

  const connection = new SpawnedConnection(process, name, options)
  if (signal?.aborted === true) {
    connection.abort(signal.reason)
    throw signal.reason
  }
  return connection
}

class SpawnedConnection extends PipeConnection implements ChildConnection {
  readonly pid: number
  readonly exited: Promise<Exit>

  constructor (process: ChildProcess, name: string, options: SpawnOptions) {
    const pid = process.pid as number
    const child = new Child(process, name, options)
    const remote: RemoteInfo = { address: `${name} (process ${pid})` }
    super(withReadBuffer(process.stdout as Readable), process.stdin as Writable, remote, child, options)
    this.pid = pid
    this.exited = child.exited
  }
}

function started (process: ChildProcess, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.once('spawn', resolve)
    process.once('error', error => reject(new TransportError('ERR_SPAWN', `${name}: ${error.message}`, { cause: error })))
    // Stays: a signal that cannot be sent is an 'error' too.
    process.on('error', () => {})
  })
}
