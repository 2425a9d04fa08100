/**
 * Where files are until they are whole: `.ropewalk-staging/<owner>/<number>.part` inside the root, open to nobody else.
 * The owner's folder says which process it belongs to, so that the next one can clear away what the dead have left.
 *
 * @module
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { link, lstat, readdir, rename, rmdir, unlink } from 'node:fs/promises'
import { DIRECT_FLAG, fileOf, identify, ownerName, ownerOf, startOf, type DiskFile, type Owner } from '@ropewalk/disk'
import { KEPT_FOLDER, MAX_OPEN_ATTEMPTS, STAGING_FOLDER } from './constants.ts'
import type { Directory } from './directory.ts'
import { ReceiveError, receiveError, systemCode } from './errors.ts'
import { WITHOUT_LINKS } from './placement.ts'

export interface StagedFile {
  /** The descriptor. Whoever writes to it closes it. */
  readonly fd: number
  /** Where it can be linked from. Valid while the staging is open. */
  readonly path: string
  /** Opens it once more, for writing past the system's cache. */
  readonly direct?: (() => DiskFile) | undefined
}

export class Staging {
  readonly #parent: Directory
  readonly #staging: Directory
  readonly #own: Directory
  readonly #owner: string
  readonly #self: Owner
  #next = 0

  private constructor (parent: Directory, staging: Directory, own: Directory, owner: string, self: Owner) {
    this.#parent = parent
    this.#staging = staging
    this.#own = own
    this.#owner = owner
    this.#self = self
  }

  /** Opens the staging folder of `root`, clears it of what is left of the dead, and makes a folder of our own in it. */
  static async open (root: Directory, staleAfterMs: number, keepMs: number = Infinity): Promise<Staging> {
    const self = await identify()
    const owner = ownerName(self)

    for (let attempt = 0; ; attempt++) {
      const staging = await root.make(STAGING_FOLDER, 0o700)
      try {
        await secure(staging)
        await sweep(staging, self, staleAfterMs, keepMs)
        return new Staging(root, staging, await staging.make(owner, 0o700), owner, self)
      } catch (error) {
        await staging.close()
        // The last one who left may have taken the folder along just now.
        const gone = error instanceof ReceiveError && systemCode(error.cause) === 'ENOENT'
        if (!gone || attempt >= MAX_OPEN_ATTEMPTS) throw receiveError(error, `open ${staging.path}`)
      }
    }
  }

  /** Which start of the machine this is; undefined where nobody can tell. */
  get boot (): string | undefined {
    return this.#self.boot === '0' ? undefined : this.#self.boot
  }

  /** A name that nothing has, and that no one else can reach. */
  freePath (): string {
    return this.#own.pathOf(`${this.#next++}.part`)
  }

  /** A new empty file there. */
  async create (): Promise<StagedFile> {
    const path = this.freePath()
    return { fd: openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o777), path, direct: directly(path) }
  }

  /** A name there for the file at `whole`, which is not followed where it is a link. Nothing can be written to what is given. */
  async link (whole: string): Promise<StagedFile> {
    const path = this.freePath()
    try {
      await link(whole, path)
    } catch (error) {
      const code = systemCode(error)
      if (code === 'EXDEV' || (code !== undefined && WITHOUT_LINKS.has(code))) throw new ReceiveError('ERR_UNSUPPORTED', `link ${whole}: ${code}`, { cause: error })
      throw receiveError(error, `link ${whole}`)
    }
    try {
      const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
      if (fstatSync(fd).isFile()) return { fd, path }
      closeSync(fd)
      throw new ReceiveError('ERR_NOT_A_FILE', `${whole} is no file`)
    } catch (error) {
      await unlink(path)
      throw systemCode(error) === 'ELOOP' ? new ReceiveError('ERR_NOT_A_FILE', `${whole} is a link`, { cause: error }) : error
    }
  }

  async remove (file: StagedFile): Promise<void> {
    await unlink(file.path)
  }

  /**
   * The folder `name` of a transfer, with what is left in it from before, until it is given back. `ERR_BUSY` while a living
   * process has it: renaming is what only one of those who want it can do.
   */
  async adopt (name: string): Promise<Directory> {
    for (let attempt = 0; attempt < MAX_OPEN_ATTEMPTS; attempt++) {
      const kept = await this.#staging.enter(KEPT_FOLDER)
      const taken = kept != null && await moved(kept.pathOf(name), this.#own.pathOf(name)).finally(() => kept.close())
      if (!taken && !await this.#orphan(name)) return await this.#own.make(name, 0o700)
      const folder = await this.#own.enter(name)
      if (folder != null) return folder
    }
    throw new ReceiveError('ERR_IO', `${this.#staging.path} is being changed by somebody else`)
  }

  /** Gives a transfer's folder back, for whoever goes on. */
  async keep (name: string): Promise<void> {
    const kept = await this.#staging.make(KEPT_FOLDER, 0o700)
    await moved(this.#own.pathOf(name), kept.pathOf(name)).finally(() => kept.close())
  }

  /** Removes it, with what is in it. */
  async drop (name: string): Promise<void> {
    await clear(this.#own, name)
  }

  /** Takes the folder from an owner that has died since the staging was swept. */
  async #orphan (name: string): Promise<boolean> {
    for (const owner of await readdir(this.#staging.pathOf('.'))) {
      const identity = ownerOf(owner)
      const folder = identity == null ? undefined : await this.#staging.enter(owner).catch(() => undefined)
      if (identity == null || folder == null) continue
      try {
        if (await lstat(folder.pathOf(name)).catch(() => undefined) == null) continue
        const ours = identity.boot === this.#self.boot && identity.space === this.#self.space
        if (!ours || await startOf(identity.pid) === identity.start) throw new ReceiveError('ERR_BUSY', 'the transfer is being received by another process, or another receiver of this one')
        if (await moved(folder.pathOf(name), this.#own.pathOf(name))) return true
      } finally {
        await folder.close()
      }
    }
    return false
  }

  /** Removes our folder, and the staging folder if nobody else has one in it. */
  async close (): Promise<void> {
    await this.#own.close()
    await clear(this.#staging, this.#owner)
    await rmdir(this.#staging.pathOf(KEPT_FOLDER)).catch(() => {})
    await this.#staging.close()
    await rmdir(this.#parent.pathOf(STAGING_FOLDER)).catch(() => {})
  }
}

/** Opens the file at `path` once more, for writing past the system's cache. Undefined where the system has no such thing. */
export function directly (path: string): (() => DiskFile) | undefined {
  const flag = DIRECT_FLAG
  return flag === undefined ? undefined : () => fileOf(openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW | flag))
}

/** A folder that others can write to, or that is another's, is no place for what is not yet whole. */
async function secure (staging: Directory): Promise<void> {
  const { uid, mode } = await staging.stat()
  const own = process.geteuid?.()
  if (own != null && uid !== own) throw new ReceiveError('ERR_UNSAFE_STAGING', `${staging.path} belongs to user ${uid}, not ${own}`)
  if ((mode & 0o077) !== 0) await staging.chmod(0o700)
}

async function sweep (staging: Directory, self: Owner, staleAfterMs: number, keepMs: number): Promise<void> {
  for (const name of await readdir(staging.pathOf('.'))) {
    const owner = ownerOf(name)
    if (owner == null) continue
    const known = owner.boot === self.boot && owner.space === self.space
    const stale = known ? await startOf(owner.pid) !== owner.start : await ageOf(staging, name) > staleAfterMs
    if (stale) await bury(staging, name).catch(() => {})
  }
  const kept = await staging.enter(KEPT_FOLDER).catch(() => undefined)
  if (kept == null) return
  try {
    for (const name of await readdir(kept.pathOf('.'))) if (await ageOf(kept, name) > keepMs) await clear(kept, name).catch(() => {})
  } finally {
    await kept.close()
  }
}

/** Removes what a dead process has left, except transfers that somebody may go on with. */
async function bury (staging: Directory, owner: string): Promise<void> {
  const folder = await staging.enter(owner)
  if (folder == null) return
  try {
    const transfers = (await readdir(folder.pathOf('.'))).filter(isTransfer)
    if (transfers.length > 0) {
      const kept = await staging.make(KEPT_FOLDER, 0o700)
      for (const name of transfers) await moved(folder.pathOf(name), kept.pathOf(name)).catch(() => clear(folder, name))
      await kept.close()
    }
  } finally {
    await folder.close()
  }
  await clear(staging, owner)
}

/** False when somebody else has taken it. */
async function moved (from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
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

/** What a transfer's folder is called: nothing that a peer chose, but the digest of it. */
export function transferFolder (digest: string): string {
  return `transfer-${digest}`
}

function isTransfer (name: string): boolean {
  return /^transfer-[0-9a-f]{64}$/.test(name)
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
