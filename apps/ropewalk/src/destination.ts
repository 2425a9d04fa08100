/**
 * Where `get` puts what it fetches.
 *
 * @module
 */
import { stat } from 'node:fs/promises'
import { basename, dirname, resolve, sep } from 'node:path'
import { codeOf, fileError, RopewalkError } from './errors.ts'

export type Destination =
  /** Standard output. */
  | { readonly kind: 'stdout' }
  /** Below `root`, under `name`, or under its id where there is none. */
  | { readonly kind: 'files', readonly root: string, readonly name: string | undefined }

/** `-`, a directory, or the name of a file; where nothing is said, the working directory. */
export async function parseDestination (output: string | undefined, count: number): Promise<Destination> {
  if (output === undefined) return { kind: 'files', root: resolve('.'), name: undefined }
  if (output === '-') {
    if (count > 1) throw new RopewalkError('ERR_USAGE', `standard output takes one object, not ${count}`)
    return { kind: 'stdout' }
  }

  if (output.endsWith('/') || output.endsWith(sep) || await isDirectory(output)) return { kind: 'files', root: resolve(output), name: undefined }
  if (count > 1) throw new RopewalkError('ERR_USAGE', `${count} objects need a directory: let its name end with /`, { text: output })
  const root = dirname(resolve(output))
  if (!await isDirectory(root)) throw new RopewalkError('ERR_FILE', 'no such directory', { text: root })
  return { kind: 'files', root, name: basename(output) }
}

async function isDirectory (path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw fileError(error)
  }
}
