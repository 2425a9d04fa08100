import { closeSync, constants, fstatSync, lstatSync, openSync, read, readdirSync, readlinkSync, readSync, type BigIntStats } from 'node:fs'
import { readFile, statfs } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { AbortOptions, TreeItem, TreeNode, TreeNodeType } from '@ropewalk/interface'
import { readAttributes, readXattrs, sortXattrs, type Extras } from './attributes.ts'
import { LOOKS_AHEAD, READ_BYTES, TURN_MS, WHOLE_FILE_BYTES } from './constants.ts'
import { Exclusions } from './exclude.ts'
import { TreeError, systemCode, treeError } from './errors.ts'
import { bytesOf, nameOf, pathOf } from './path.ts'
import { Names } from './users.ts'

export interface ReadTreeOptions extends AbortOptions {
  /** Look for extended attributes, access control lists, labels and capabilities, with `getfattr`. Default true. */
  xattrs?: boolean | undefined
  /** Look for what `chattr` sets, and projects, with `lsattr`. Default true. */
  attributes?: boolean | undefined
  /** Look for the names of owners and groups. Default true. */
  names?: boolean | undefined
  /** Leave out what `chattr +d` marks. Default false. */
  excludeNodump?: boolean | undefined
  /** Leave out what lies on other file systems. Default false. */
  excludeSubmounts?: boolean | undefined
  /** Name of a file of patterns, which say what is left out of its folder: `.caexclude`, say. */
  excludeFile?: string | undefined
  /** Each piece of content is good until the next is asked for, or the next node: its memory is used again. Default false. */
  lend?: boolean | undefined
  /** Told once of each kind of thing that this machine cannot say, `xattrs` or `attributes`. */
  onUnknown?: ((what: 'xattrs' | 'attributes') => void) | undefined
}

/** Walks the tree at `root`: parents first, and what is in a folder in the order of the bytes of its names. Follows no link. */
export async function * readTree (root: string, options: ReadTreeOptions = {}): AsyncGenerator<TreeItem, void, undefined> {
  const { excludeFile } = options
  const walk = new Walk(root.replace(/(.)\/+$/, '$1'), options)
  const top = await walk.begin()
  yield { node: top.node }
  yield * walk.folder(top, new Exclusions(), excludeFile)
}

interface Seen {
  readonly node: TreeNode
  readonly stats: BigIntStats
}

class Walk {
  readonly #root: string
  readonly #options: ReadTreeOptions
  readonly #users = new Names('passwd')
  readonly #groups = new Names('group')
  #xattrs: Awaited<ReturnType<typeof readXattrs>>
  #attributes: Awaited<ReturnType<typeof readAttributes>>
  #device = 0n
  /** Of content that is lent. */
  #room: Buffer | undefined
  #turned = performance.now()

  constructor (root: string, options: ReadTreeOptions) {
    this.#root = root
    this.#options = options
  }

  async begin (): Promise<Seen> {
    const { xattrs = true, attributes = true, onUnknown, signal } = this.#options
    const stats = this.#stats('', 'read')
    if (!stats.isDirectory()) throw new TreeError('ERR_SYMLINK', `${JSON.stringify(this.#root)} is no folder`, { path: '' })
    this.#device = stats.dev
    const asked = [xattrs ? readXattrs(this.#root, { signal }) : undefined, attributes ? readAttributes(this.#root, { signal }) : undefined] as const
    ;[this.#xattrs, this.#attributes] = await Promise.all(asked)
    if (xattrs && this.#xattrs === undefined) onUnknown?.('xattrs')
    if (attributes && this.#attributes === undefined) onUnknown?.('attributes')
    return { node: await this.#describe('', stats), stats }
  }

  async * folder ({ node: { path }, stats }: Seen, above: Exclusions, excludeFile: string | undefined): AsyncGenerator<TreeItem, void, undefined> {
    const { signal } = this.#options
    const names = this.#names(path)
    const prefix = path === '' ? '' : `${path}/`
    const exclusions = excludeFile !== undefined && names.includes(excludeFile) ? above.within(path, await this.#patterns(prefix + excludeFile)) : above
    for (let at = 0; at < names.length; at += LOOKS_AHEAD) {
      signal?.throwIfAborted()
      const seen = await Promise.all(names.slice(at, at + LOOKS_AHEAD).map(name => this.#look(prefix + name, exclusions, stats.dev)))
      for (const one of seen) {
        if (one === undefined) continue
        yield one.node.type === 'file' ? { node: one.node, content: options => this.#content(one, options) } : { node: one.node }
        if (one.node.type === 'directory') yield * this.folder(one, exclusions, excludeFile)
      }
    }
  }

  #names (path: string): string[] {
    try {
      const names = readdirSync(this.#at(path), { encoding: 'buffer' })
      return names.sort(Buffer.compare).map(nameOf)
    } catch (error) {
      throw treeError(error, 'list', path)
    }
  }

  /** `undefined` for what is left out, and for what has gone. */
  async #look (path: string, exclusions: Exclusions, device: bigint): Promise<Seen | undefined> {
    const { excludeNodump = false, excludeSubmounts = false } = this.#options
    let stats: BigIntStats
    try {
      stats = this.#stats(path, 'look at')
    } catch (error) {
      if (error instanceof TreeError && systemCode(error.cause) === 'ENOENT') return undefined
      throw error
    }
    if (stats.dev !== device && stats.isDirectory() && ((excludeSubmounts && stats.dev !== this.#device) || await isVirtual(this.#at(path)))) return undefined
    if (exclusions.excludes(path, stats.isDirectory())) return undefined
    const node = await this.#describe(path, stats)
    if (excludeNodump && node.attributes?.includes('nodump') === true) return undefined
    return { node, stats }
  }

  #stats (path: string, doing: string): BigIntStats {
    try {
      return lstatSync(this.#at(path), { bigint: true })
    } catch (error) {
      throw treeError(error, doing, path === '' ? this.#root : path)
    }
  }

  async #describe (path: string, stats: BigIntStats): Promise<TreeNode> {
    const type = typeOf(stats)
    const extras: Extras = { ...this.#attributes?.get(path) }
    const xattrs = this.#xattrs?.get(path)
    const [uid, gid] = [Number(stats.uid), Number(stats.gid)]
    const [user, group] = this.#options.names ?? true ? [await this.#users.of(uid), await this.#groups.of(gid)] : []
    return {
      path,
      type,
      permissions: Number(stats.mode & 0o7777n),
      uid,
      gid,
      mtime: stats.mtimeNs,
      ...(user !== undefined && { user }),
      ...(group !== undefined && { group }),
      ...(type === 'file' && { size: Number(stats.size) }),
      ...(type === 'symlink' && { target: nameOf(readlinkSync(this.#at(path), { encoding: 'buffer' })) }),
      ...((type === 'block' || type === 'character') && { device: numbersOf(stats.rdev) }),
      ...extras,
      ...(xattrs !== undefined && await sortXattrs(xattrs, this.#users, this.#groups))
    }
  }

  async #patterns (path: string): Promise<string> {
    try {
      return (await readFile(this.#at(path), { encoding: 'utf8', flag: constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK }))
    } catch (error) {
      throw treeError(error, 'read', path)
    }
  }

  /** Exactly as many bytes as were announced, of the very file that was looked at. A small one is read at once: a trip through the threads of Node would take ten times as long. */
  async * #content ({ node: { path, size = 0 }, stats }: Seen, { signal }: AbortOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const changed = (what: string): TreeError => new TreeError('ERR_TREE_CHANGED', `${JSON.stringify(path)} changed while it was read: ${what}`, { path })
    if (performance.now() - this.#turned > TURN_MS) {
      await setImmediate()
      this.#turned = performance.now()
    }
    const fd = this.#open(path)
    try {
      const now = fstatSync(fd, { bigint: true })
      if (now.ino !== stats.ino || now.dev !== stats.dev) throw changed('it is another file')
      for (let at = 0; at < size;) {
        signal?.throwIfAborted()
        const bytes = this.#roomFor(Math.min(READ_BYTES, size - at))
        const bytesRead = size <= WHOLE_FILE_BYTES ? readSync(fd, bytes, 0, bytes.length, at) : (await promisify(read)(fd, bytes, 0, bytes.length, at)).bytesRead
        if (bytesRead === 0) throw changed(`${at} < ${size} bytes`)
        at += bytesRead
        yield bytes.subarray(0, bytesRead)
      }
      const then = fstatSync(fd, { bigint: true })
      if (then.size !== stats.size || then.mtimeNs !== stats.mtimeNs) throw changed(`${then.size}, not ${size} bytes`)
    } catch (error) {
      signal?.throwIfAborted()
      throw treeError(error, 'read', path)
    } finally {
      closeSync(fd)
    }
  }

  #open (path: string): number {
    try {
      return openSync(this.#at(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    } catch (error) {
      throw treeError(error, 'open', path)
    }
  }

  #roomFor (bytes: number): Buffer {
    if (this.#options.lend !== true) return Buffer.allocUnsafeSlow(bytes)
    this.#room ??= Buffer.allocUnsafeSlow(READ_BYTES)
    return this.#room.subarray(0, bytes)
  }

  #at (path: string): string | Buffer {
    const full = path === '' ? this.#root : `${this.#root === '/' ? '' : this.#root}/${path}`
    const place = pathOf(full)
    return typeof place === 'string' ? place : Buffer.concat([bytesOf(this.#root), bytesOf(`/${path}`)])
  }
}

function typeOf (stats: BigIntStats): TreeNodeType {
  if (stats.isDirectory()) return 'directory'
  if (stats.isFile()) return 'file'
  if (stats.isSymbolicLink()) return 'symlink'
  if (stats.isBlockDevice()) return 'block'
  if (stats.isCharacterDevice()) return 'character'
  return stats.isFIFO() ? 'fifo' : 'socket'
}

/** As the C library takes them apart. */
function numbersOf (rdev: bigint): { major: number, minor: number } {
  return { major: Number((rdev >> 8n & 0xfffn) | (rdev >> 32n & ~0xfffn)), minor: Number((rdev & 0xffn) | (rdev >> 12n & ~0xffn)) }
}

/** What the kernel makes up (proc, sysfs, cgroup, devpts …) is in no tree. */
async function isVirtual (path: string | Buffer): Promise<boolean> {
  return VIRTUAL.has((await statfs(path)).type)
}

/** From linux/magic.h. */
const VIRTUAL: ReadonlySet<number> = new Set([
  0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x1cd1, 0x64626720, 0x74726163, 0x73636673, 0xf97cff8c, 0x6165676c, 0x42494e4d, 0xcafe4a11, 0x65735543, 0x62656570, 0x19800202, 0x958458f6,
  0xde5e81e4, 0x6e736673
])
