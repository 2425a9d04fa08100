/**
 * Where files are until they are whole: `.ropewalk-staging/<owner>/<number>.part` inside the root, open to nobody else.
 * The owner's folder says which process it belongs to, so that the next one can clear away what the dead have left.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, open, readdir, readFile, readlink, rmdir, unlink, type FileHandle } from 'node:fs/promises'
import { MAX_OPEN_ATTEMPTS, STAGING_FOLDER } from './constants.ts'
import type { Directory } from './directory.ts'
import { ReceiveError, receiveError, systemCode } from './errors.ts'

export interface StagedFile {
  readonly handle: FileHandle
  /** Where it can be linked from. Valid while the staging is open. */
  readonly path: string
}

export class Staging {
  readonly #parent: Directory
  readonly #staging: Directory
  readonly #own: Directory
  readonly #owner: string
  #next = 0

  private constructor (parent: Directory, staging: Directory, own: Directory, owner: string) {
    this.#parent = parent
    this.#staging = staging
    this.#own = own
    this.#owner = owner
  }

  /** Opens the staging folder of `root`, clears it of what is left of the dead, and makes a folder of our own in it. */
  static async open (root: Directory, staleAfterMs: number): Promise<Staging> {
    const self = await identify()
    const owner = `${self.boot}-${self.space}-${self.pid}-${self.start}-${randomBytes(6).toString('hex')}`

    for (let attempt = 0; ; attempt++) {
      const staging = await root.make(STAGING_FOLDER, 0o700)
      try {
        await secure(staging)
        await sweep(staging, self, staleAfterMs)
        return new Staging(root, staging, await staging.make(owner, 0o700), owner)
      } catch (error) {
        await staging.close()
        // The last one who left may have taken the folder along just now.
        const gone = error instanceof ReceiveError && systemCode(error.cause) === 'ENOENT'
        if (!gone || attempt >= MAX_OPEN_ATTEMPTS) throw receiveError(error, `open ${staging.path}`)
      }
    }
  }

  /** A new empty file, which no one else can reach. */
  async create (): Promise<StagedFile> {
    const path = this.#own.pathOf(`${this.#next++}.part`)
    const handle = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o777)
    return { handle, path }
  }

  async remove (file: StagedFile): Promise<void> {
    await unlink(file.path)
  }

  /** Removes our folder, and the staging folder if nobody else has one in it. */
  async close (): Promise<void> {
    await this.#own.close()
    await clear(this.#staging, this.#owner)
    await this.#staging.close()
    await rmdir(this.#parent.pathOf(STAGING_FOLDER)).catch(() => {})
  }
}

interface Identity {
  /** Which start of the machine. */
  boot: string
  /** In which process ids count: containers have their own. */
  space: string
  pid: number
  /** When the process began, in the clock ticks of its boot: an id may be used again, id and beginning are not. */
  start: string
}

async function identify (): Promise<Identity> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'latin1').catch(() => '')
  const space = await readlink('/proc/self/ns/pid').catch(() => '')
  return {
    boot: boot.slice(0, 8) || '0',
    space: /\d+/.exec(space)?.[0] ?? '0',
    pid: process.pid,
    start: await startOf(process.pid) ?? '0'
  }
}

/** `undefined` when there is no such process. */
async function startOf (pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1')
    // The command in parentheses may hold anything; the 22nd field is the 20th after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    if (process.platform === 'linux') return undefined
    try {
      process.kill(pid, 0)
      return '0'
    } catch {
      return undefined
    }
  }
}

/** A folder that others can write to, or that is another's, is no place for what is not yet whole. */
async function secure (staging: Directory): Promise<void> {
  const { uid, mode } = await staging.stat()
  const own = process.geteuid?.()
  if (own != null && uid !== own) throw new ReceiveError('ERR_UNSAFE_STAGING', `${staging.path} belongs to user ${uid}, not ${own}`)
  if ((mode & 0o077) !== 0) await staging.chmod(0o700)
}

async function sweep (staging: Directory, self: Identity, staleAfterMs: number): Promise<void> {
  for (const name of await readdir(staging.pathOf('.'))) {
    const [, boot, space, pid, start] = /^([0-9a-f]+)-(\d+)-(\d+)-(\d+)-[0-9a-f]+$/.exec(name) ?? []
    if (pid == null) continue
    const known = boot === self.boot && space === self.space
    const stale = known ? await startOf(Number(pid)) !== start : await ageOf(staging, name) > staleAfterMs
    if (stale) await clear(staging, name).catch(() => {})
  }
}

/** Since anything happened in the folder. */
async function ageOf (staging: Directory, name: string): Promise<number> {
  const folder = await staging.enter(name).catch(() => undefined)
  if (folder == null) return 0
  try {
    const times = [folder.pathOf('.'), ...(await readdir(folder.pathOf('.'))).map(entry => folder.pathOf(entry))]
      .map(async path => (await lstat(path)).mtimeMs)
    return Date.now() - Math.max(...await Promise.all(times))
  } catch {
    return 0
  } finally {
    await folder.close()
  }
}

/** Unlinks what is directly in the folder, then the folder. Enters nothing and follows nothing: what is not ours to remove stays. */
async function clear (staging: Directory, name: string): Promise<void> {
  const folder = await staging.enter(name)
  if (folder == null) return
  try {
    for (const entry of await readdir(folder.pathOf('.'))) await unlink(folder.pathOf(entry)).catch(() => {})
  } finally {
    await folder.close()
  }
  await rmdir(staging.pathOf(name)).catch(() => {})
}
