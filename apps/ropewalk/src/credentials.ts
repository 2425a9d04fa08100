/**
 * What a node or a client shows, and what it asks to see: certificates of a cluster, and access tokens. From files or the
 * environment, never from the command line, which other users of the machine can read. No message holds a secret.
 *
 * @module
 */
import { X509Certificate } from 'node:crypto'
import { open } from 'node:fs/promises'
import { parseIdentity, type Identity } from '@ropewalk/transport-tcp'
import { TOKEN_VARIABLE } from './context.ts'
import { fileError, messageOf, RopewalkError } from './errors.ts'

/** Bytes of a file with certificates, a key or tokens. Ours. */
export const MAX_CREDENTIAL_BYTES = 262_144

/** Tokens that a node takes. Ours. */
export const MAX_TOKENS = 1024

const TOKEN = /^[A-Za-z\d]{64}$/

/** Certificates of the authorities that a client trusts, as PEM. */
export async function loadAuthorities (path: string): Promise<string> {
  const text = await readCredential(path, false)
  try {
    // The first one tells whether there is any; TLS reads the others.
    void new X509Certificate(text)
  } catch (cause) {
    throw unusable(path, 'no certificate in it', cause)
  }
  return text
}

/** The certificate that a node shows, and its key. */
export async function loadCertificate (certPath: string, keyPath: string): Promise<Identity> {
  const certificate = await readCredential(certPath, false)
  const key = await readCredential(keyPath, true)
  try {
    return parseIdentity(`${certificate}\n${key}`)
  } catch (cause) {
    throw unusable(keyPath, `with ${certPath}: ${messageOf(cause)}`, cause)
  }
}

/** The token that a client sends: from the file, else from the environment, else none. */
export async function loadToken (env: NodeJS.ProcessEnv, path: string | undefined): Promise<string | undefined> {
  const text = path === undefined ? env[TOKEN_VARIABLE] ?? '' : await readCredential(path, true)
  if (path === undefined && text === '') return undefined
  const token = text.trim()
  if (!TOKEN.test(token)) throw unusable(path ?? TOKEN_VARIABLE, NO_TOKEN)
  return token
}

export type VerifyToken = (token: string, nodeId: string) => boolean

/**
 * Decides about the tokens of clients; undefined where none are asked for. A line of the file is a token, or the id of a node and a
 * token that is good for that node alone.
 */
export async function loadTokens (env: NodeJS.ProcessEnv, path: string | undefined): Promise<VerifyToken | undefined> {
  if (path === undefined) {
    const token = await loadToken(env, undefined)
    if (token === undefined) return undefined
    const { sameToken } = await import('@ropewalk/protocol-mdsftp')
    return given => sameToken(given, token)
  }
  const tokens: Array<{ token: string, nodeId: string | undefined }> = []
  for (const [index, line] of (await readCredential(path, true)).split('\n').entries()) {
    const words = line.trim().split(/\s+/)
    if (words[0] === '' || words[0]?.startsWith('#') === true) continue
    const [token = '', nodeId] = words.toReversed() as [string, string?]
    const id = nodeId?.toLowerCase().replaceAll('-', '')
    if (words.length > 2 || !TOKEN.test(token) || (id !== undefined && !/^[\da-f]{32}$/.test(id))) throw unusable(path, `line ${index + 1}: ${NO_TOKEN}, with the id of a node before it or not`)
    tokens.push({ token, nodeId: id })
    if (tokens.length > MAX_TOKENS) throw unusable(path, `more than ${MAX_TOKENS} tokens`)
  }
  if (tokens.length === 0) throw unusable(path, 'no token in it')
  const { sameToken } = await import('@ropewalk/protocol-mdsftp')
  return (given, nodeId) => {
    let found = false
    // Every one is compared, whichever it is: the time must not tell how far a guess came.
    for (const { token, nodeId: only } of tokens) found = (sameToken(given, token) && (only === undefined || only === nodeId)) || found
    return found
  }
}

const NO_TOKEN = 'a token is 64 letters and digits'

async function readCredential (path: string, secret: boolean): Promise<string> {
  try {
    const handle = await open(path)
    try {
      const { mode, size } = await handle.stat()
      if (secret && process.platform !== 'win32' && (mode & 0o077) !== 0) {
        throw new RopewalkError('ERR_CREDENTIALS', `others may read it: its mode is ${(mode & 0o777).toString(8)}`, { text: path, advice: ['chmod 600 makes it yours alone.'] })
      }
      if (size > MAX_CREDENTIAL_BYTES) throw unusable(path, `${size} > ${MAX_CREDENTIAL_BYTES} bytes`)
      const buffer = Buffer.alloc(MAX_CREDENTIAL_BYTES + 1)
      let bytes = 0
      for (let read = -1; read !== 0 && bytes < buffer.length; bytes += read) ({ bytesRead: read } = await handle.read(buffer, bytes))
      if (bytes > MAX_CREDENTIAL_BYTES) throw unusable(path, `more than ${MAX_CREDENTIAL_BYTES} bytes`)
      return buffer.toString('latin1', 0, bytes)
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw error instanceof RopewalkError ? error : unusable(path, fileError(error).message, error)
  }
}

function unusable (path: string, why: string, cause?: unknown): RopewalkError {
  return new RopewalkError('ERR_CREDENTIALS', why, { text: path, cause })
}
