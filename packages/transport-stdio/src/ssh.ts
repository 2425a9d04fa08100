/**
 * A command on another machine, through the `ssh` that is there.
 *
 * @module
 */
import { TransportError } from './errors.ts'
import { type ChildConnection, spawn, type SpawnOptions } from './spawn.ts'

export interface SshOptions extends SpawnOptions {
  /** Settings of ssh, each given as `-o NAME=VALUE`: `{ Port: '2222', BatchMode: 'yes' }`. */
  settings?: Record<string, string> | undefined
  /** The program, instead of the `ssh` in the path. */
  program?: string | undefined
}

/**
 * Runs `command`, a program and its arguments, on `host`, which is whatever ssh takes: `name`, `user@name`, a name of its configuration.
 * ssh hands the command to the shell of the other machine: it is quoted for a POSIX shell, so that each word arrives as it is.
 */
export async function ssh (host: string, command: readonly string[], options: SshOptions = {}): Promise<ChildConnection> {
  return await spawn(options.program ?? 'ssh', sshArguments(host, command, options.settings), { name: `ssh ${host}`, ...options })
}

/** The arguments of ssh. `ERR_ADDRESS` for a host that ssh could take for anything but a host. */
export function sshArguments (host: string, command: readonly string[], settings: Record<string, string> = {}): string[] {
  if (command.length === 0 || command[0] === '') throw new TypeError('a command has a program')
  checkHost(host)

  const options = Object.entries(settings).flatMap(([name, value]) => {
    if (!/^[A-Za-z]+$/.test(name) || /[\0\r\n]/.test(value)) throw new TypeError(`setting ${JSON.stringify(name)} of ssh: a name has letters only, a value is one line`)
    return ['-o', `${name}=${value}`]
  })
  // Without a terminal, which would change bytes. What comes behind -- is no option.
  return ['-T', ...options, '--', host, command.map(quote).join(' ')]
}

function checkHost (host: string): void {
  const why = host === ''
    ? 'is empty'
    : /^-|@-/.test(host)
      ? 'begins with -, which would be an option'
      : /^[\p{L}\p{N}@._:%[\]+-]+$/u.test(host) ? undefined : 'has a character that no host has'
  if (why != null) throw new TransportError('ERR_ADDRESS', `host ${JSON.stringify(host.slice(0, 200))} ${why}`)
}

/** One word for a POSIX shell. */
function quote (word: string): string {
  if (word.includes('\0')) throw new TypeError('a zero byte in a command')
  return /^[\w@%+:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
