/**
 * Who can move files.
 *
 * @module
 */
import { cp } from './cp.ts'
import type { Mover } from './mover.ts'
import { raw } from './raw.ts'
import { ropewalk } from './ropewalk.ts'
import { rsync } from './rsync.ts'
import { scp, sftp } from './ssh.ts'

/** By name, in the order of the table. The first is what the others are compared with. */
export const MOVERS: Readonly<Record<string, Mover>> = { raw: raw(), ropewalk, 'raw-tls': raw('tls'), cp, rsync, scp, sftp }
