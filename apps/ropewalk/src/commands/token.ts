import { writeFile } from 'node:fs/promises'
import { issueToken, openSigner } from '@ropewalk/protocol-ipc-upload/node'
import { escapeName } from '@ropewalk/receive'
import type { Context } from '../context.ts'
import { codeOf, fileError, messageOf, RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { encodeLine } from '../progress/ndjson.ts'

export interface IssueFlags {
  readonly user: string
  readonly ttl: number
  readonly key: string
  readonly audience?: string | undefined
  readonly output?: string | undefined
  readonly json: boolean
}

/** Makes a token, in a file that only its owner can read, or on standard output. */
export async function issue ({ stdout }: Context, { user, ttl, key, audience, output, json }: IssueFlags): Promise<Exit> {
  const { login, uid } = parseUser(user)
  const signer = await keyFrom(key, openSigner)
  const token = await issueToken({ key: signer, login, uid, ttlMs: ttl, audience })
  const record = { event: 'issued', user: login, uid, algorithm: signer.algorithm, expires_at: new Date(Date.now() + ttl).toISOString(), path: output ?? null }
  if (output === undefined) {
    // What was asked for: nowhere else does a token appear.
    stdout.write(json ? encodeLine({ ...record, token }) : `${token}\n`)
    return Exit.done
  }
  try {
    await writeFile(output, `${token}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    throw codeOf(error) === 'EEXIST'
      ? new RopewalkError('ERR_EXISTS', 'the file exists already: remove it, or name another', { cause: error, text: output })
      : new RopewalkError('ERR_FILE', fileError(error).message, { cause: error, text: output })
  }
  stdout.write(json ? encodeLine(record) : `${escapeName(login)} (${uid}), ${signer.algorithm}, until ${record.expires_at}, in ${escapeName(output)}\n`)
  return Exit.done
}

/** Opens a file of keys. Nothing of it is ever shown. */
export async function keyFrom<T> (path: string, open: (path: string) => Promise<T>): Promise<T> {
  try {
    return await open(path)
  } catch (error) {
    const why = error instanceof TypeError || error instanceof RangeError ? messageOf(error) : fileError(error).message
    throw new RopewalkError('ERR_KEY', `the key cannot be used: ${why}`, { text: path })
  }
}

function parseUser (text: string): { login: string, uid: number } {
  const parts = /^(.+):(\d{1,10})$/s.exec(text)
  const uid = Number(parts?.[2])
  if (parts === null || uid > 2_147_483_647) throw new RopewalkError('ERR_USAGE', 'a user is NAME:UID, with a number up to 2147483647 that owns the files', { text })
  return { login: parts[1] as string, uid }
}
