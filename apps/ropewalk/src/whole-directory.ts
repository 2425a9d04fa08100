/**
 * Files that belong together: all of them appear under the directory's name, or none does, and nothing is written over.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { syncDirectory } from '@ropewalk/disk'
import { codeOf, fileError, RopewalkError } from './errors.ts'

export interface NewFile {
  readonly content: string
  readonly mode: number
}

/** Makes the directory with these files in it, durable when this resolves. `ERR_EXISTS` when there is something of that name. */
export async function makeDirectory (path: string, files: Readonly<Record<string, NewFile>>, mode: number): Promise<void> {
  const target = resolve(path)
  const parent = dirname(target)
  const temporary = join(parent, `.${basename(target)}.${randomBytes(8).toString('hex')}`)
  try {
    await mkdir(temporary, { mode })
    for (const [name, file] of Object.entries(files)) await writeNew(join(temporary, name), file)
    await syncDirectory(temporary)
    // Takes the place of nothing but an empty directory.
    await rename(temporary, target)
    await syncDirectory(parent)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    if (TAKEN.has(codeOf(error))) throw new RopewalkError('ERR_EXISTS', 'there is something of that name, and nothing is written over', { text: target, cause: error })
    throw new RopewalkError('ERR_FILE', `${target}: ${fileError(error).message}`, { cause: error })
  }
}

const TAKEN: ReadonlySet<string> = new Set(['EEXIST', 'ENOTEMPTY', 'ENOTDIR'])

async function writeNew (path: string, { content, mode }: NewFile): Promise<void> {
  const handle = await open(path, 'wx', mode)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
