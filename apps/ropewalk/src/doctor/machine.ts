/**
 * Whether this machine can run a node: its state, its key, its disk, its clock, its limits, and what it can speak.
 *
 * @module
 */
import { constants } from 'node:fs'
import { access, readFile, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { escapeName } from '@ropewalk/receive'
import { dial, loadIdentity } from '@ropewalk/transport-tcp'
import { RopewalkError } from '../errors.ts'
import { formatBytes } from '../format.ts'
import { controlPath } from '../services/control.ts'
import { makeStateDirectory } from '../state-directory.ts'
import type { Step } from './steps.ts'

/** What the steps ask of the machine; tests answer otherwise. */
export interface World {
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly free: (path: string) => Promise<number>
  /** Files that may be open at once. */
  readonly openFiles: () => Promise<number>
  readonly platform: string
}

export const thisMachine: World = {
  now: () => Date.now(),
  free: async path => {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  },
  openFiles: async () => {
    const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '')
    return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity)
  },
  platform: process.platform
}

/** Room below which nothing much can be received, and files below which 256 connections have no room. Ours. */
const LITTLE_ROOM: number = 256 * 1024 ** 2
const FEW_FILES = 1024

/** This program is not older than this. Ours: a clock before it is wrong. */
const NOT_BEFORE: number = Date.UTC(2024, 0, 1)
const NOT_AFTER: number = Date.UTC(2100, 0, 1)

export function machineSteps (state: string, world: World): Step[] {
  return [
    {
      name: 'state',
      needed: true,
      run: async () => {
        await makeStateDirectory(state)
        await access(state, constants.W_OK)
        return escapeName(state)
      },
      advice: () => ['ROPEWALK_STATE names another directory, which this user may write to.']
    },
    {
      name: 'key',
      run: async () => {
        // Made where there is none; refused where others may read it.
        return `sha256=${(await loadIdentity(state)).fingerprint}`
      },
      advice: () => [`chmod 600 ${escapeName(join(state, 'identity.pem'))} makes it yours alone. Where others may have read it, remove it: a new one is made, and peers pair again.`]
    },
    {
      name: 'disk',
      run: async () => {
        const free = await world.free(state)
        if (free < LITTLE_ROOM) return { warning: `${formatBytes(free)} free`, advice: ['Make room, or let ROPEWALK_STATE and storage.directory name another disk.'] }
        return `${formatBytes(free)} free`
      },
      advice: () => ['The disk with the state directory does not answer.']
    },
    {
      name: 'clock',
      run: async () => {
        const now = world.now()
        if (now < NOT_BEFORE || now > NOT_AFTER) throw new RopewalkError('ERR_STATE', `it shows ${new Date(now).toISOString()}`)
        return new Date(now).toISOString()
      },
      advice: () => ['Set the clock: certificates, tokens and grants are judged by it. "timedatectl set-ntp true" keeps it right.']
    },
    {
      name: 'files',
      run: async () => {
        const most = await world.openFiles()
        if (most < FEW_FILES) return { warning: `at most ${most} open at once`, advice: [`"ulimit -n ${FEW_FILES * 4}" before "ropewalk serve", or LimitNOFILE= in its unit, allows more.`] }
        return most === Infinity ? 'no limit that is known' : `at most ${most} open at once`
      },
      advice: () => []
    },
    {
      name: 'node',
      run: async () => {
        const running = await dial({ transport: 'unix', path: controlPath(state) }).then(connection => { connection.abort(new RopewalkError('ERR_STOPPED', 'only asked')); return true }, () => false)
        return running ? 'one of yours is running' : 'none of yours is running; "ropewalk serve" starts one'
      },
      advice: () => []
    },
    {
      name: 'protocols',
      run: async () => {
        const lacking = notHere(world.platform)
        return `here: ${PROTOCOLS_HERE.join(', ')}${lacking.length === 0 ? '' : `; not here: ${lacking.join(', ')}`}`
      },
      advice: () => []
    }
  ]
}

/** What this program speaks. */
const PROTOCOLS_HERE = ['mdsftp (tls, tcp, unix; and on yamux)', 'ipc (tls, unix, seqpacket; and on yamux)', 'warpdrive (tls; and on yamux)', 'casync (http, stdio; and on yamux)', 'torronto (tcp)', 'yamux (tls, tcp, unix, wss, ws)']

/** What somebody could look for in vain. */
function notHere (platform: string): string[] {
  return platform === 'linux' ? [] : ['ipc over seqpacket (Linux alone has it)']
}
