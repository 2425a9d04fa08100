/**
 * rsync, its daemon on loopback: whole files, no compression, every file synced before it gets its name.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { userInfo } from 'node:os'
import { find, missing } from '../installed.ts'
import type { Command, Mover } from './mover.ts'
import { freePort, startDaemon, stop } from './server.ts'

/** `--whole-file`: nothing is there that could be compared. `--fsync` goes to whoever receives. */
const OPTIONS = ['--recursive', '--whole-file', '--fsync', '--no-motd']

export const rsync: Mover = {
  about: 'rsync --whole-file --fsync, daemon mode',
  carriers: ['tcp'],
  packages: ['rsync'],
  missing: async () => missing('rsync'),

  async serve ({ source, kept, fetched, state }) {
    const port = await freePort()
    const config = join(state, `rsyncd-${port}.conf`)
    const nothing = join(state, `rsync-nothing-${port}`)
    mkdirSync(nothing)
    const { uid, gid } = userInfo()
    const who = uid === 0 ? `uid = ${uid}\ngid = ${gid}\n` : ''
    writeFileSync(config, `use chroot = no\n${who}[kept]\npath = ${kept}\nread only = no\n[nothing]\npath = ${nothing}\nread only = no\n`)
    const program = find('rsync') as string
    const child = await startDaemon(program, ['--daemon', '--no-detach', `--config=${config}`, '--address=127.0.0.1', `--port=${port}`, '--log-file=/dev/null'], port)

    const url = (module: string): string => `rsync://127.0.0.1:${port}/${module}/`
    const copy = (from: string, to: string): Command => ({ file: program, args: [...OPTIONS, from, to] })
    return {
      pid: child.pid,
      put: () => ({ ...copy(`${source}/`, url('kept')), idle: copy(`${nothing}/`, url('nothing')) }),
      get: () => ({ ...copy(url('kept'), `${fetched}/`), idle: copy(url('nothing'), `${nothing}/`) }),
      stop: () => stop(child)
    }
  }
}
