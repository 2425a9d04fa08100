/**
 * Who can send.
 *
 * @module
 */
import { raw } from './raw.ts'
import { ropewalk } from './ropewalk.ts'
import { rsync } from './rsync.ts'
import type { Sender } from './sender.ts'
import { wormhole } from './wormhole.ts'

/** By name, in the order of the table. The first is what the others are compared with. */
export const SENDERS: Readonly<Record<string, Sender>> = {
  raw,
  ropewalk,
  rsync: rsync('rsync -a --whole-file --fsync, daemon mode: every file is synced, folders are not', ['--fsync']),
  'rsync-a': rsync('rsync -a --whole-file, daemon mode: nothing is synced, and nothing lasts'),
  wormhole
}
