/**
 * Who may do what, beyond what the configuration says of everybody: a line of JSON each, in `grants.ndjson` in the state directory. A node looks
 * at it whenever somebody comes, so that a grant holds from then on, and while somebody is in by a grant, so that he goes with it.
 *
 * @module
 */
import { open, readFile, rename, stat } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import * as v from 'valibot'
import { codeOf, fileError, RopewalkError } from '../errors.ts'
import { makeStateDirectory } from '../state-directory.ts'

export type Access = 'read' | 'write'

export interface Grant {
  readonly id: string
  /** SHA-256 of the peer's key. */
  readonly peer: string
  /** `mdsftp`, `ipc`, `warpdrive`, `casync`, or `*` for all. */
  readonly protocol: string
  /** The folder or store, with everything below it; `*` for all that the node has. */
  readonly on: string
  /** Who may write may read. */
  readonly access: Access
  /** Milliseconds since 1970; undefined: until it is revoked. */
  readonly until?: number | undefined
}

/** Grants of one machine. Ours. */
export const MAX_GRANTS = 4096

const MAX_BYTES = 4 * 1024 * 1024

const GRANT = v.strictObject({
  id: v.pipe(v.string(), v.regex(/^[\da-f]{8}$/)),
  peer: v.pipe(v.string(), v.regex(/^[\da-f]{64}$/)),
  protocol: v.string(),
  on: v.string(),
  access: v.picklist(['read', 'write']),
  until: v.optional(v.pipe(v.number(), v.safeInteger()))
})

/** What somebody may do: what a grant says of him, or nothing of the kind. */
export type Verdict =
  | { readonly kind: 'granted', readonly access: Access, readonly folders: readonly string[], readonly writable: readonly string[] }
  /** There are grants of his, and none is for this; or there is none, and one is wanted. */
  | { readonly kind: 'refused', readonly why: string }
  /** Nobody has said anything of him here: the configuration decides. */
  | { readonly kind: 'unsaid' }

export interface Asked {
  readonly fingerprint: string | undefined
  readonly protocol: string
  /** The store or folder that it is about. */
  readonly resource: string | undefined
}

export class Grants {
  readonly #path: string
  #grants: readonly Grant[] = []
  #seen = ''

  constructor (state: string) {
    this.#path = grantsPath(state)
  }

  /** What holds at `now`. A file that cannot be read refuses everybody whom it could be about. */
  async verdict ({ fingerprint, protocol, resource }: Asked, onlyGranted: boolean, now: number): Promise<Verdict> {
    await this.#look()
    const own = fingerprint === undefined ? [] : this.#grants.filter(({ peer }) => peer === fingerprint)
    if (own.length === 0 && !onlyGranted) return { kind: 'unsaid' }
    const fitting = own.filter(grant => (grant.protocol === protocol || grant.protocol === '*') && isAbout(grant.on, resource))
    const good = fitting.filter(({ until = Infinity }) => until > now)
    if (good.length === 0) return { kind: 'refused', why: fitting.length > 0 ? `its grant for ${protocol} is over` : `it has no grant for ${protocol}` }
    const access = good.some(({ access }) => access === 'write') ? 'write' : 'read'
    return { kind: 'granted', access, folders: good.map(({ on }) => on), writable: good.flatMap(({ on, access }) => access === 'write' ? [on] : []) }
  }

  async #look (): Promise<void> {
    const stats = await stat(this.#path).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    })
    const seen = stats === undefined ? '' : `${stats.ino} ${stats.size} ${stats.mtimeMs}`
    if (seen === this.#seen) return
    this.#grants = stats === undefined ? [] : await readFrom(this.#path)
    this.#seen = seen
  }
}

export async function readGrants (state: string): Promise<readonly Grant[]> {
  return await readFrom(grantsPath(state))
}

/** Replaces all of them, in one step. */
export async function writeGrants (state: string, grants: readonly Grant[]): Promise<void> {
  if (grants.length > MAX_GRANTS) throw new RopewalkError('ERR_REFUSED', `${grants.length} > ${MAX_GRANTS} grants`)
  await makeStateDirectory(state)
  const path = grantsPath(state)
  const handle = await open(`${path}.new`, 'w', 0o600)
  try {
    await handle.writeFile(grants.map(grant => `${JSON.stringify(grant)}\n`).join(''))
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(`${path}.new`, path)
}

function grantsPath (state: string): string {
  return join(state, 'grants.ndjson')
}

async function readFrom (path: string): Promise<readonly Grant[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return ''
    throw new RopewalkError('ERR_STATE', fileError(error).message, { text: path, cause: error })
  })
  if (text.length > MAX_BYTES) throw new RopewalkError('ERR_STATE', `${text.length} > ${MAX_BYTES} bytes`, { text: path })
  return text.split('\n').flatMap((line, at) => line.trim() === '' ? [] : [grantOf(line, `${path}:${at + 1}`)])
}

function grantOf (line: string, where: string): Grant {
  try {
    return v.parse(GRANT, JSON.parse(line))
  } catch (error) {
    throw new RopewalkError('ERR_STATE', `${where}: expected a grant as "ropewalk grant" writes it`, { cause: error })
  }
}

function isAbout (on: string, resource: string | undefined): boolean {
  if (on === '*') return true
  if (resource === undefined) return false
  const [folder, path] = [resolve(on), resolve(resource)]
  // What is granted below a folder that is served is for whoever serves it to keep to.
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep) || folder.startsWith(path.endsWith(sep) ? path : path + sep)
}
