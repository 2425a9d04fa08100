/**
 * Our own stdin and stdout as the connection, for a program that somebody else starts.
 *
 * @module
 */
import { closeSync, fstatSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { devNull } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import type { Connection } from '@ropewalk/interface'
import { type Peer, PipeConnection, type PipeOptions } from './connection.ts'
import type { TransportError } from './errors.ts'

export interface StdioOptions extends PipeOptions {
  /** Instead of the process's own. */
  stdin?: Readable | undefined
  stdout?: Writable | undefined
}

const STDOUT = 1

let taken = false

/**
 * A connection to whoever has started us. From then on nothing else may read stdin or write to stdout: `console.log` does. Our own can
 * be had once. The peer cannot see an abort but as an end: exit with a code other than 0 after one.
 */
export function stdio (options: StdioOptions = {}): Connection {
  if (options.stdin == null || options.stdout == null) {
    if (taken) throw new TypeError('stdio() comes once: there is one stdin, and one stdout')
    taken = true
  }
  return new PipeConnection({ stream: options.stdin ?? process.stdin }, options.stdout ?? openStdout(), { address: 'stdio' }, STARTER, options)
}

/** Nobody knows how whoever started us is. */
const STARTER: Peer = {
  async judge () {},
  async explain (error: TransportError) { return error },
  abort () {},
  async gone () {}
}

/**
 * `process.stdout` can be neither destroyed nor closed, so that a peer that does not read would keep us alive, and one that reads a pipe
 * would not see our end before we exit. Where it is a pipe or a socket, a stream of our own can.
 */
function openStdout (): Writable {
  const stat = fstatSync(STDOUT)
  if (!stat.isFIFO() && !stat.isSocket()) return process.stdout

  const stdout = new Socket({ fd: STDOUT, readable: false, writable: true })
  // A socket is shut down; of a pipe, the last descriptor must go.
  if (stat.isFIFO() && process.platform !== 'win32') stdout.once('finish', () => stdout.once('close', closeStdout))
  return stdout
}

function closeStdout (): void {
  closeSync(STDOUT)
  // Takes its place, lest the next file that somebody opens became what `console.log` writes to.
  openSync(devNull, 'w')
}
