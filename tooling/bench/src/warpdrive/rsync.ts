/**
 * rsync, its daemon on loopback.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { userInfo } from 'node:os'
import { find, missing } from '../installed.ts'
import type { Command } from '../transfer/mover.ts'
import { freePort, startDaemon, stop } from '../transfer/server.ts'
import type { Sender } from './sender.ts'

/** `--whole-file`: nothing is there that could be compared. */
export function rsync (about: string, more: readonly string[] = []): Sender {
  return {
    about,
    packages: ['rsync'],
    missing: async () => missing('rsync'),

    async receive ({ source, inbox, nothing, state }) {
      const port = await freePort()
      const empty = join(state, 'empty')
      mkdirSync(empty)
      const config = join(state, 'rsyncd.conf')
      const { uid, gid } = userInfo()
      const who = uid === 0 ? `uid = ${uid}\ngid = ${gid}\n` : ''
      writeFileSync(config, `use chroot = no\n${who}[inbox]\npath = ${inbox}\nread only = no\n[empty]\npath = ${empty}\nread only = no\n`)
      const program = find('rsync') as string
      const child = await startDaemon(program, ['--daemon', '--no-detach', `--config=${config}`, '--address=127.0.0.1', `--port=${port}`, '--log-file=/dev/null'], port)
      const copy = (what: string, module: string): Command => (
        { file: program, args: ['-a', '--whole-file', '--no-motd', ...more, what, `rsync://127.0.0.1:${port}/${module}/`] }
      )
      return { pid: child.pid, send: { ...copy(source, 'inbox'), idle: copy(nothing, 'empty') }, stop: () => stop(child) }
    }
  }
}
