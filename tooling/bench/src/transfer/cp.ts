/**
 * `cp`, and fsync: one process, no network.
 *
 * @module
 */
import type { Command, Mover } from './mover.ts'

export const cp: Mover = {
  about: 'cp -R and fsync of every file; one process, no network',
  carriers: ['tcp', 'tls'],

  async serve ({ source, names, kept, fetched }) {
    const copy = (from: string, to: string): Command => synced({ file: 'cp', args: ['-R', `${from}/.`, to] }, to, names)
    return { pid: undefined, put: () => copy(source, kept), get: () => copy(kept, fetched), stop: async () => {} }
  }
}

/** The command, then fsync of the files below `folder`: for programs that do not do that themselves. */
export function synced ({ file, args, ...rest }: Command, folder: string, names: readonly string[]): Command {
  return { ...rest, file: '/bin/sh', args: ['-c', `${[file, ...args].map(quoted).join(' ')} && cd ${quoted(folder)} && sync -- "$@"`, 'sh', ...names] }
}

function quoted (word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
