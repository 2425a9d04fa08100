/**
 * Programs of the system: whether they are there, and how they get there.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { userInfo } from 'node:os'

/** The path of a program; undefined when there is none. */
export function find (program: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/go/bin']
  return folders.map(folder => join(folder, program)).find(path => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Why `programs` cannot be used; undefined when they can. */
export function missing (...programs: string[]): string | undefined {
  const absent = programs.filter(program => find(program) === undefined)
  return absent.length === 0 ? undefined : `${absent.join(' and ')} not installed; --install gets what is missing with apt-get`
}

/** Installs packages with apt-get. Starts no service. */
export function install (packages: readonly string[]): void {
  const apt = (...args: string[]): void => {
    const [file = '', ...before] = userInfo().uid === 0 ? ['apt-get'] : ['sudo', '-n', 'apt-get']
    // RUNLEVEL tells the scripts of the packages that this is not the time to start anything.
    const { status, error } = spawnSync(file, [...before, ...args], { stdio: ['ignore', 2, 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' } })
    if (status !== 0) throw new Error(`apt-get ${args.join(' ')} failed`, { cause: error })
  }
  apt('update', '-qq')
  apt('install', '-y', '-qq', '--no-install-recommends', ...packages)
}
