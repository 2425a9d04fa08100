/**
 * Small files that appear whole and durable, or not at all.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { link, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { syncDirectory } from '@ropewalk/disk'
import { codeOf, fileError, RopewalkError } from '../errors.ts'

export interface WriteOptions {
  /** Take the place of what has the name. */
  readonly replace: boolean
  /** Survive loss of power. */
  readonly lasting: boolean
  readonly mode: number
}

/** Writes `text` under the name `path`. `ERR_EXISTS` unless it may replace. */
export async function writeWhole (path: string, text: string, { replace, lasting, mode }: WriteOptions): Promise<void> {
  const directory = dirname(path)
  const temporary = join(directory, `${beginning(path)}${randomBytes(8).toString('hex')}`)
  try {
    const handle = await open(temporary, 'wx', mode)
    try {
      await handle.writeFile(text)
      if (lasting) await handle.sync()
    } finally {
      await handle.close()
    }
    await giveName(temporary, path, replace)
    if (lasting) await syncDirectory(directory)
  } catch (error) {
    throw codeOf(error) === 'ERR_EXISTS' ? error : new RopewalkError('ERR_FILE', `${path}: ${fileError(error).message}`, { cause: error })
  } finally {
    await rm(temporary, { force: true })
  }
}

/** Takes away what killed processes left of writing `path`. Only where nobody else writes it now. */
export async function sweepWhole (path: string): Promise<void> {
  const names = await readdir(dirname(path)).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  })
  const left = names.filter(name => name.startsWith(beginning(path)) && /^[\da-f]{16}$/.test(name.slice(beginning(path).length)))
  for (const name of left) await rm(join(dirname(path), name), { force: true })
}

/** Of the names that a file has until it is whole. */
function beginning (path: string): string {
  return `.${basename(path).slice(0, 200)}.`
}

/** Gives the file at `from` the name `to`; the old name is gone then. `ERR_EXISTS` when it is taken and may not be replaced. */
export async function giveName (from: string, to: string, replace: boolean): Promise<void> {
  if (replace) return await rename(from, to)
  try {
    await link(from, to)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    throw new RopewalkError('ERR_EXISTS', `${basename(to)} exists already; --force replaces it`, { text: to, cause: error })
  }
  await rm(from)
}
