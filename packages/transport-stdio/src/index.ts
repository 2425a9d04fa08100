/**
 * A child process, or our own stdin and stdout, as Connection.
 *
 * @module
 */
export { type ChildOptions } from './child.ts'
export { type PipeOptions } from './connection.ts'
export {
  BYTES_PER_TURN, CLOSE_TIMEOUT_MS, EXIT_GRACE_MS, KILL_TIMEOUT_MS, MESSAGE_CHARACTERS, STDERR_BYTES, STDERR_GRACE_MS
} from './constants.ts'
export { type Exit, TransportError, type TransportErrorCode } from './errors.ts'
export { type ChildConnection, spawn, type SpawnOptions } from './spawn.ts'
export { ssh, sshArguments, type SshOptions } from './ssh.ts'
export { stdio, type StdioOptions } from './stdio.ts'
