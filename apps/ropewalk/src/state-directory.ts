/**
 * What this user's ropewalk remembers between runs: its key, its node id, the nodes it knows, and by default what it stores.
 *
 * @module
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { codeOf, fileError, RopewalkError } from './errors.ts'

const NODE_ID_FILE = 'node-id'

/** `ROPEWALK_STATE`; else `ropewalk` below `XDG_STATE_HOME`; else below `~/.local/state`. */
export function statePath (env: NodeJS.ProcessEnv): string {
  const own = env['ROPEWALK_STATE']
  if (own !== undefined && own !== '') return resolve(own)
  const xdg = env['XDG_STATE_HOME']
  // From the XDG base directory specification: a relative path is to be ignored.
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.local', 'state'), 'ropewalk')
}

/** Makes the directory if it is missing, for its owner alone. */
export async function makeStateDirectory (path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw stateError(path, error)
  }
}

/** Where objects are kept unless somebody says otherwise. */
export function defaultStore (state: string): string {
  return join(state, 'store')
}

/** The 16 bytes by which nodes call this one, as hex; made at the first call. Where two processes begin at once, both get the same. */
export async function loadNodeId (state: string): Promise<string> {
  const path = join(state, NODE_ID_FILE)
  return await readNodeId(path) ?? await makeNodeId(state, path)
}

async function makeNodeId (state: string, path: string): Promise<string> {
  await makeStateDirectory(state)
  const temporary = `${path}.${randomBytes(8).toString('hex')}`
  try {
    await writeFile(temporary, `${randomUUID().replaceAll('-', '')}\n`, { mode: 0o600, flag: 'wx' })
    await link(temporary, path).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error
    })
  } catch (error) {
    throw stateError(path, error)
  } finally {
    await rm(temporary, { force: true })
  }
  const made = await readNodeId(path)
  if (made === undefined) throw new RopewalkError('ERR_STATE', `${path} was removed while it was made`)
  return made
}

async function readNodeId (path: string): Promise<string | undefined> {
  let text: string
  try {
    text = await readFile(path, 'latin1')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw stateError(path, error)
  }
  const id = text.trim()
  if (!/^[\da-f]{32}$/.test(id)) throw new RopewalkError('ERR_STATE', `${path} does not hold 32 hex digits`)
  return id
}

function stateError (path: string, error: unknown): RopewalkError {
  return new RopewalkError('ERR_STATE', `${path}: ${fileError(error).message}`, {
    cause: error,
    advice: ['ROPEWALK_STATE names another directory for what ropewalk remembers.']
  })
}
