/**
 * One node a directory. A file that says "locked" outlives the process that wrote it, and a process id may belong to
 * somebody else by then; so the lock is a listening unix socket: the kernel ends it with its process, whatever ends that.
 *
 * Everybody who wants the directory first puts up a socket of its own under a name that is never used twice, and only
 * then looks at the others. Of two that come at once, the one that looks later sees the other; so there are never two
 * holders. What nobody listens on is stale for ever and may be removed by anyone.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { connect, createServer, type Server } from 'node:net'
import { constants } from 'node:fs'
import { mkdir, open, readdir, rename, rm, statfs, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { bootId } from '@ropewalk/disk'
import { LOCK_ANSWER_MS, LOCK_SETTLE_MS } from './constants.ts'
import { StoreError, storeError, systemCode } from './errors.ts'

export interface DirectoryLock {
  /** Lets the next one in. Idempotent. */
  release (): Promise<void>
}

/** Takes the lock that lives in `folder`, or throws `ERR_LOCKED` with the process that holds it. */
export async function lockDirectory (folder: string): Promise<DirectoryLock> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const directory = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  const claim = new Claim(folder, directory.fd, bootId())
  try {
    await claim.raise()
    await claim.settle()
  } catch (error) {
    await claim.lower()
    throw storeError(error, `lock ${folder}`)
  } finally {
    await directory.close()
  }
  return { release: () => claim.lower() }
}

/** `unclear`: it went away while it was asked, so it is worth asking again. */
type Standing = 'holding' | 'claiming' | 'gone' | 'unclear'

class Claim {
  readonly #folder: string
  readonly #fd: number
  readonly #boot: string
  readonly #name: string
  readonly #server: Server
  #standing: Standing = 'claiming'

  constructor (folder: string, fd: number, boot: string) {
    this.#folder = folder
    this.#fd = fd
    this.#boot = boot.slice(0, 8) || 'unknown'
    this.#name = `${this.#boot}-${process.pid}-${randomBytes(8).toString('hex')}.sock`
    this.#server = createServer(socket => {
      socket.unref()
      socket.on('error', () => {})
      socket.end(this.#standing)
    })
    this.#server.on('error', () => {})
    this.#server.unref()
  }

  async raise (): Promise<void> {
    // Bound is not yet listening, and what does not listen is stale: the name that counts appears only afterwards.
    await listen(this.#server, this.#pathOf(`${this.#name}.new`))
    await rename(join(this.#folder, `${this.#name}.new`), join(this.#folder, this.#name)).catch(error => {
      if (systemCode(error) !== 'ENOENT') throw error
      throw new StoreError('ERR_LOCKED', `${this.#folder} is held by another process`, { cause: error })
    })
  }

  async settle (): Promise<void> {
    const deadline = Date.now() + LOCK_SETTLE_MS
    for (;;) {
      const rivals = await this.#rivals()
      const winner = rivals.find(({ name, standing }) => standing === 'holding' || (standing === 'claiming' && name < this.#name))
      if (winner != null || (rivals.length > 0 && Date.now() > deadline)) {
        throw new StoreError('ERR_LOCKED', `${this.#folder} is held by ${describe((winner ?? rivals[0])?.name ?? '')}`)
      }
      if (rivals.length === 0) break
      await delay(10)
    }
    this.#standing = 'holding'
    await this.#sweep()
  }

  async lower (): Promise<void> {
    this.#standing = 'gone'
    await rm(join(this.#folder, this.#name), { force: true })
    this.#server.close()
  }

  /** Removes what was bound but never shown. Whoever was about to show it would have been refused anyway. */
  async #sweep (): Promise<void> {
    const names = (await readdir(this.#folder)).filter(name => name.endsWith('.sock.new'))
    await Promise.all(names.map(name => rm(join(this.#folder, name), { force: true })))
  }

  async #rivals (): Promise<Array<{ name: string, standing: Standing }>> {
    const names = (await readdir(this.#folder)).filter(name => name.endsWith('.sock') && name !== this.#name)
    const rivals = await Promise.all(names.map(async name => ({ name, standing: await this.#ask(name) })))
    return rivals.filter(({ standing }) => standing !== 'gone')
  }

  async #ask (name: string): Promise<Standing> {
    // On a network file system a socket of another machine looks dead from here.
    if (!name.startsWith(`${this.#boot}-`) && await isShared(this.#folder)) return 'holding'
    const standing = await ask(this.#pathOf(name))
    if (standing === 'gone') await unlink(join(this.#folder, name)).catch(ignoreMissing)
    return standing
  }

  /** A socket's address holds 107 bytes; by way of the descriptor, any directory fits. */
  #pathOf (name: string): string {
    return process.platform === 'linux' ? `/proc/self/fd/${this.#fd}/${name}` : join(this.#folder, name)
  }
}

function listen (server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path, exclusive: true }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** Connecting is the proof of life; the answer only tells apart who holds and who still asks. Silence counts as holding. */
function ask (path: string): Promise<Standing> {
  return new Promise(resolve => {
    const socket = connect({ path })
    const settle = (standing: Standing): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(standing)
    }
    const timer = setTimeout(() => settle('holding'), LOCK_ANSWER_MS)
    socket.on('data', answer => {
      const word = answer.toString('latin1')
      settle(word === 'claiming' || word === 'gone' ? word : 'holding')
    })
    socket.on('end', () => settle('unclear'))
    socket.on('error', error => settle(FAILURES[systemCode(error) ?? ''] ?? 'holding'))
  })
}

async function isShared (folder: string): Promise<boolean> {
  const { type } = await statfs(folder)
  return SHARED.has(type)
}

function describe (name: string): string {
  const [, pid] = /-(\d+)-[0-9a-f]+\.sock$/.exec(name) ?? []
  return pid == null ? `another process (${name})` : `process ${pid} (${name})`
}

function ignoreMissing (error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw error
}

/** What it means that the other could not be asked. Whatever is not here may be alive. */
const FAILURES: Record<string, Standing> = { ECONNREFUSED: 'gone', ENOENT: 'gone', ECONNRESET: 'unclear', EPIPE: 'unclear' }

/** File systems that several machines may have mounted, by the magic number of Linux: NFS, SMB 1 to 3, FUSE, 9P, Ceph, AFS, OCFS2, GFS2, Lustre. */
const SHARED: ReadonlySet<number> = new Set([
  0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x65735546, 0x01021997, 0x00c36400, 0x5346414f, 0x7461636f, 0x01161970, 0x0bd00bd0
])
