/**
 * What a process that died has left of its unix socket.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { link, lstat, rename, rm } from 'node:fs/promises'
import type { Stats } from 'node:fs'
import { connect } from 'node:net'
import { TransportError } from './errors.ts'

/** Removes the socket at `path` if nobody listens on it; `ERR_ADDRESS_IN_USE` if somebody does, or if it is no socket. */
export async function removeStaleSocket (path: string): Promise<void> {
  const found = await inspect(path)
  if (found == null || process.platform === 'win32') return

  if (!found.isSocket()) throw new TransportError('ERR_ADDRESS_IN_USE', `${path} is there and is not a socket`)
  if (await answers(path)) throw new TransportError('ERR_ADDRESS_IN_USE', `somebody listens on ${path}`)

  await removeExactly(path, found)
}

async function inspect (path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new TransportError('ERR_ADDRESS', `${path}: ${(error as Error).message}`, { cause: error })
  }
}

/** Only a plain refusal says that nobody listens; whatever else goes wrong, somebody may. */
function answers (path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ path })
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'))
  })
}

/** Two processes may clean up at once: what is removed must be what was found dead, not what the other has put there since. */
async function removeExactly (path: string, found: Stats): Promise<void> {
  const aside = `${path}.${randomBytes(4).toString('hex')}`

  try {
    await rename(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw new TransportError('ERR_ADDRESS', `${path}: ${(error as Error).message}`, { cause: error })
  }

  const moved = await lstat(aside)
  const same = moved.ino === found.ino && moved.dev === found.dev && moved.birthtimeMs === found.birthtimeMs
  if (!same) await link(aside, path).catch(ignore)
  await rm(aside)
  if (!same) throw new TransportError('ERR_ADDRESS_IN_USE', `somebody else has just begun to listen on ${path}`)
}

function ignore (): void {}
