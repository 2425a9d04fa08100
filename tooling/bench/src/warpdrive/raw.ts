/**
 * A copy over plain sockets: what everything else is compared with. Of the names only content arrives.
 *
 * @module
 */
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { raw as rawMover } from '../transfer/raw.ts'
import type { Sender } from './sender.ts'

export const raw: Sender = {
  about: 'read, net.Socket, write, fsync, rename; 16 sockets at most; folders are made before',

  async receive ({ source, names, inbox }) {
    for (const folder of new Set(names.map(name => dirname(join(inbox, name))))) mkdirSync(folder, { recursive: true })
    const keeper = await rawMover().serve({ source: dirname(source), names, kept: inbox, fetched: inbox, state: inbox }, 'tcp')
    return { pid: keeper.pid, send: keeper.put(), stop: () => keeper.stop() }
  }
}
