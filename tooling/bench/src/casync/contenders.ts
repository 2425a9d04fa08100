/**
 * Who makes, extracts and pulls: each as somebody would call it.
 *
 * @module
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { find, missing } from '../installed.ts'
import { profile } from '../profile.ts'
import { buildGo } from '../subjects/go.ts'
import type { Command } from '../transfer/mover.ts'
import type { Made } from './inputs.ts'

export interface Contender {
  readonly about: string
  readonly missing?: (() => Promise<string | undefined>) | undefined
  readonly packages?: readonly string[] | undefined
  make? (blob: string, made: Made): readonly Command[]
  /** With a seed, whatever has to be done with that counts. */
  extract? (made: Made, output: string, seed?: string): readonly Command[]
  /** An index and chunks of a folder, and back; whatever else they record of it, with names, content, permissions and times. */
  makeTree? (folder: string, made: Made): readonly Command[]
  extractTree? (made: Made, output: string): readonly Command[]
  /** Index and chunks come from another process, through pipes. `folder` is for whatever it takes to start that. */
  pull? (made: Made, output: string, folder: string): readonly Command[]
}

const MAIN: string = fileURLToPath(new URL('../../../../apps/ropewalk/dist/main.js', import.meta.url))
const REMOTE_END: string = fileURLToPath(new URL('../../../../apps/ropewalk/dist/main-casync.js', import.meta.url))
const MODULE: string = fileURLToPath(new URL('../../../interop/go/', import.meta.url))
const DESYNC: string = fileURLToPath(new URL('../../node_modules/.cache/bench/desync', import.meta.url))

/** Goroutines of desync: as many as the machine of the goals has cores. */
const DESYNC_AT_ONCE = ['-n', '2']

export const CONTENDERS: Readonly<Record<string, Contender>> = {
  casync: {
    about: 'casync of Debian, its queues in memory (TMPDIR=/dev/shm)',
    packages: ['casync'],
    missing: async () => missing('casync'),
    make: (blob, { index, store }) => [casync(['make', `--store=${store}`, index, blob])],
    extract: ({ index, store }, output, seed) => [casync(['extract', `--store=${store}`, ...(seed === undefined ? [] : [`--seed=${seed}`]), index, output])],
    makeTree: (folder, { index, store }) => [casync(['make', `--store=${store}`, index, folder])],
    extractTree: ({ index, store }, output) => [casync(['extract', `--store=${store}`, index, output])],
    pull: ({ index, store }, output, folder) => [casync(['extract', `--store=host:${store}`, `host:${index}`, output], through(folder, 'casync'))]
  },
  desync: {
    about: 'desync of its module, two at a time (-n 2); it asks casync for chunks only',
    missing: async () => buildGo(MODULE, DESYNC, 'github.com/folbricht/desync/cmd/desync'),
    make: (blob, { index, store }) => [desync(['make', ...DESYNC_AT_ONCE, '-s', store, index, blob])],
    extract: ({ index, store }, output, seed) => [
      ...(seed === undefined ? [] : [desync(['make', ...DESYNC_AT_ONCE, `${seed}.caibx`, seed])]),
      desync(['extract', ...DESYNC_AT_ONCE, '-s', store, ...(seed === undefined ? [] : ['--seed', `${seed}.caibx`]), index, output])
    ],
    makeTree: (folder, { index, store }) => [desync(['tar', ...DESYNC_AT_ONCE, '-i', '-s', store, index, folder])],
    extractTree: ({ index, store }, output) => [desync(['untar', ...DESYNC_AT_ONCE, '-i', '-s', store, index, output])],
    pull: ({ index, store }, output, folder) => [desync(['extract', ...DESYNC_AT_ONCE, '-s', `ssh://host${store}`, index, output], through(folder, 'casync'))]
  },
  ropewalk: {
    about: 'ropewalk casync and ropewalk-casync, as built',
    make: (blob, { index, store }) => [ropewalk('make', [`--store=${store}`, index, blob])],
    extract: ({ index, store }, output, seed) => [ropewalk('extract', [`--store=${store}`, ...(seed === undefined ? [] : [`--seed=${seed}`]), index, output])],
    makeTree: (folder, { index, store }) => [ropewalk('make', [`--store=${store}`, index, folder])],
    extractTree: ({ index, store }, output) => [ropewalk('extract', [`--store=${store}`, index, output])],
    pull: ({ index, store }, output, folder) => [ropewalk('extract', [`--store=host:${store}`, `host:${index}`, output], through(folder, [process.execPath, ...profile('casync', 'remote'), REMOTE_END].join(' ')))]
  },
  'ropewalk-from-casync': {
    about: 'ropewalk casync, with the real casync at the other end',
    missing: async () => missing('casync'),
    pull: ({ index, store }, output, folder) => [ropewalk('extract', [`--store=host:${store}`, `host:${index}`, output], through(folder, 'casync'))]
  }
}

function casync (args: readonly string[], env?: NodeJS.ProcessEnv): Command {
  return { file: find('casync') ?? 'casync', args, env: { ...process.env, ...(existsSync('/dev/shm') ? { TMPDIR: '/dev/shm' } : {}), ...env } }
}

function desync (args: readonly string[], env?: NodeJS.ProcessEnv): Command {
  return { file: DESYNC, args, env: { ...process.env, ...env } }
}

function ropewalk (verb: string, args: readonly string[], env?: NodeJS.ProcessEnv): Command {
  return { file: process.execPath, args: [...profile('casync', verb), MAIN, 'casync', verb, ...args], env: { ...process.env, ...env } }
}

/** Stands in for ssh: runs the command here, as the shell there would. */
function through (folder: string, program: string): NodeJS.ProcessEnv {
  const ssh = join(folder, 'ssh')
  writeFileSync(ssh, '#!/bin/sh\nwhile [ "$1" != -- ]; do\n  case "$1" in -o) shift 2 ;; -*) shift ;; *) break ;; esac\ndone\n[ "$1" = -- ] && shift\nshift\nexec sh -c "$*"\n', { mode: 0o755 })
  return { CASYNC_SSH_PATH: ssh, CASYNC_REMOTE_PATH: program, ...(existsSync('/dev/shm') ? { TMPDIR: '/dev/shm' } : {}) }
}
