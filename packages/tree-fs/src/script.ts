import type { AbortOptions, TreeNode } from '@ropewalk/interface'
import { encodeAcl, encodeDefaultAcl } from './acl.ts'
import { LETTERS } from './attributes.ts'
import { bytesOf } from './path.ts'
import type { NodeTime, Times } from './times.ts'
import { runTool } from './tools.ts'

/**
 * What Node has no call for, gathered for one folder and done by one shell in it: extended attributes, attributes as of `chattr`, and times that
 * a floating-point number of seconds has no room for.
 */
export class Script {
  readonly #lines: Buffer[] = []
  readonly #times: NodeTime[] = []

  get isEmpty (): boolean {
    return this.#lines.length === 0 && this.#times.length === 0
  }

  /** Sets what belongs to the node; `name` is that in the folder, `.` for the folder itself. */
  xattrs (name: string, node: TreeNode): void {
    const set = (attribute: string, value: Uint8Array): void => {
      this.#add('setfattr -h -n ', quote(attribute), ` -v 0x${Buffer.from(value).toString('hex')} -- `, place(name))
    }
    for (const { name: attribute, value } of node.xattrs ?? []) set(attribute, value)
    if (node.acl !== undefined) set('system.posix_acl_access', encodeAcl(node.acl, node.permissions))
    if (node.defaultAcl !== undefined) set('system.posix_acl_default', encodeDefaultAcl(node.defaultAcl))
    if (node.label !== undefined) set('security.selinux', Buffer.concat([bytesOf(node.label), Buffer.of(0)]))
    if (node.capabilities !== undefined) set('security.capability', node.capabilities)
  }

  attributes (name: string, node: TreeNode, which: (letter: string) => boolean): void {
    if (node.attributes === undefined && node.project === undefined) return
    const letters = LETTERS.filter(([letter, attribute]) => node.attributes?.includes(attribute) === true && which(letter)).map(([letter]) => letter).join('')
    if (letters !== '') this.#add(`chattr +${letters} -- `, place(name))
    if (which('p') && node.project !== undefined) this.#add(`chattr -p ${node.project} -- `, place(name))
  }

  mknod (name: string, node: TreeNode): void {
    if (node.device === undefined) this.#add('mkfifo -m 600 -- ', place(name))
    else this.#add('mknod -m 600 -- ', place(name), ` ${node.type === 'block' ? 'b' : 'c'} ${node.device.major} ${node.device.minor}`)
  }

  time (name: string, mtime: bigint): void {
    this.#times.push({ name, mtime })
  }

  /** Does everything in the folder at `cwd`, whatever fails of it. Resolves to what the programs complained of; empty when all went well. */
  async run (cwd: string, times: Times, { signal }: AbortOptions): Promise<string> {
    for (const [time, places] of byTime(await times.set(cwd, this.#times.splice(0)))) {
      for (let at = 0; at < places.length; at += 256) this.#add(`touch -h -d ${time} -- `, ...places.slice(at, at + 256).flatMap(path => [path, ' ']))
    }
    if (this.#lines.length === 0) return ''
    const input = Buffer.concat([Buffer.from('e=0\n'), ...this.#lines.splice(0), Buffer.from('exit $e\n')])
    const result = await runTool('sh', ['-s'], { cwd, input, maxBytes: 1024 * 1024, signal })
    if (result?.code === 0) return ''
    return result === undefined ? 'no sh' : result.stderr.trim() || `status ${result.code}`
  }

  #add (...pieces: ReadonlyArray<string | Buffer>): void {
    this.#lines.push(...pieces.map(piece => Buffer.from(piece as string)), Buffer.from(' || e=1\n'))
  }
}

/** As `touch` takes them. */
function byTime (times: readonly NodeTime[]): Map<string, Buffer[]> {
  const found = new Map<string, Buffer[]>()
  for (const { name, mtime } of times) {
    const magnitude = mtime < 0n ? -mtime : mtime
    const text = `@${mtime < 0n ? '-' : ''}${magnitude / 1_000_000_000n}.${String(magnitude % 1_000_000_000n).padStart(9, '0')}`
    const places = found.get(text)
    if (places === undefined) found.set(text, [place(name)])
    else places.push(place(name))
  }
  return found
}

/** Never an option, never anything but a name. */
function place (name: string): Buffer {
  return name === '.' ? Buffer.from('.') : quote(`./${name}`)
}

function quote (text: string): Buffer {
  return Buffer.from(`'${bytesOf(text).toString('latin1').replaceAll("'", "'\\''")}'`, 'latin1')
}
