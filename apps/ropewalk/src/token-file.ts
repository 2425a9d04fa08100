/**
 * Tokens come from files and go into files: not into arguments, which every process of a machine can read.
 *
 * @module
 */
import { text } from 'node:stream/consumers'
import type { Context } from './context.ts'
import { fileError, RopewalkError } from './errors.ts'
import { readOperatorFile } from './operator-file.ts'

/** Reads a token, from standard input where the path is `-`. No error has anything of what was read. */
export async function readToken ({ stdin, signal }: Context, path: string): Promise<string> {
  let token: string
  try {
    token = (path === '-' ? await text(stdin) : await readOperatorFile(path, { signal })).trim()
  } catch (error) {
    signal.throwIfAborted()
    throw new RopewalkError('ERR_KEY', `the token cannot be read: ${fileError(error).message}`, path.length > LONGEST_SHOWN || looksLikeToken(path) ? { advice: [NOT_HERE] } : { text: path })
  }
  if (!looksLikeToken(token)) throw new RopewalkError('ERR_KEY', 'there is no token in the file', { text: path, advice: ['"ropewalk token issue" makes one.'] })
  return token
}

/** A longer one may be a token itself. */
const LONGEST_SHOWN = 80

const NOT_HERE = '--token takes the name of a file: on the command line other users could read a token.'

function looksLikeToken (text: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text)
}
