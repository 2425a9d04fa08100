/**
 * magic-wormhole, its mailbox server on loopback. Both sides start when the clock does, since nobody waits there beforehand.
 *
 * @module
 */
import { randomInt } from 'node:crypto'
import { basename, join } from 'node:path'
import { find, missing } from '../installed.ts'
import { freePort, startDaemon, stop } from '../transfer/server.ts'
import { begin } from '../transfer/watch.ts'
import type { Sender } from './sender.ts'

/** Runs the receiver, and then waits to be told to end: what it used is counted until then. */
const KEEPER = '"$@" 3<&-; read _ <&3'

export const wormhole: Sender = {
  about: 'magic-wormhole send and receive; a folder goes as one zip file; an eighth of the bytes and files',
  packages: ['magic-wormhole', 'python3-magic-wormhole-mailbox-server'],
  missing: async () => missing('wormhole', 'twist3'),
  share: 8,

  async receive ({ source, inbox, state }) {
    const port = await freePort()
    const mailbox = await startDaemon(find('twist3') as string, [
      'wormhole-mailbox', `--port=tcp:${port}:interface=127.0.0.1`, `--channel-db=${join(state, 'mailbox.sqlite')}`
    ], port)
    const code = `${randomInt(1, 1000)}-rope-walk`
    // A code of our own, and no relay between: the two find each other on this machine.
    const program = [find('wormhole') as string, '--relay-url', `ws://127.0.0.1:${port}/v1`, '--transit-helper', '']
    const env = { ...process.env, LC_ALL: 'C.UTF-8' }
    const receiving = [...program, 'receive', '--hide-progress', '--accept-file', '--output-file', join(inbox, basename(source)), code]
    const receiver = begin('/bin/sh', ['-c', KEEPER, 'sh', ...receiving], { env, extra: 1 })
    receiver.stdout?.resume()
    receiver.stderr?.resume()
    return {
      pid: receiver.pid,
      send: { file: program[0] as string, args: [...program.slice(1), 'send', '--hide-progress', '--code', code, source], env },
      async stop () {
        await stop(receiver)
        await stop(mailbox)
      }
    }
  }
}
