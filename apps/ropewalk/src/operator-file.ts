/**
 * Files that whoever runs a command names: settings, tokens. A link that another user has laid in their place is not followed, for it would
 * have us read what he wants, and say what is in it where he sees it.
 *
 * @module
 */
import { constants } from 'node:fs'
import { lstat, readFile } from 'node:fs/promises'
import type { AbortOptions } from '@ropewalk/interface'
import { RopewalkError } from './errors.ts'

/** The text of a file. Links that we or root have made are followed. */
export async function readOperatorFile (path: string, { signal }: AbortOptions = {}): Promise<string> {
  const found = await lstat(path)
  const own = process.geteuid?.()
  if (found.isSymbolicLink() && own !== undefined && found.uid !== own && found.uid !== 0) {
    throw new RopewalkError('ERR_REFUSED', `it is a link that another user has made: ${found.uid}, not ${own}`, { text: path })
  }
  // What was none may be one by now.
  const flag = found.isSymbolicLink() ? constants.O_RDONLY : constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)
  return await readFile(path, { encoding: 'utf8', signal, flag })
}
