/**
 * What a dialer says before the first packet: its node id, and its access token where the cluster uses them. Pure.
 *
 *      0            16                                   80
 *      +------------+----------------------------------- +
 *      | node id    | access token, only by configuration |   then packets
 *      +------------+----------------------------------- +
 *
 * Nothing is sent in return (specification section 2.2).
 *
 * @module
 */
import { fromHex, toHex } from '@ropewalk/framing'
import { NODE_ID_BYTES, TOKEN_BYTES } from './constants.ts'
import { StorageError } from './errors.ts'

export interface Preamble {
  /** The dialer's node id as 32 hex digits. */
  readonly nodeId: string
  /** 64 characters of `[A-Za-z0-9]`. */
  readonly token?: string | undefined
}

/** The preamble as it goes out. Throws a RangeError for a token that is not 64 characters of `[A-Za-z0-9]`. */
export function encodePreamble ({ nodeId, token }: Preamble): Uint8Array {
  const bytes = new Uint8Array(preambleBytes(token !== undefined))
  bytes.set(fromHex(nodeId, NODE_ID_BYTES))
  if (token === undefined) return bytes
  // The message does not hold the token: errors are logged.
  if (!TOKEN.test(token)) throw new RangeError(`the token is not ${TOKEN_BYTES} characters of A-Z, a-z and 0-9`)
  for (let index = 0; index < TOKEN_BYTES; index++) bytes[NODE_ID_BYTES + index] = token.charCodeAt(index)
  return bytes
}

/** Bytes that a preamble takes. */
export function preambleBytes (withToken: boolean): number {
  return withToken ? NODE_ID_BYTES + TOKEN_BYTES : NODE_ID_BYTES
}

/** Reads a preamble from exactly its bytes. `ERR_TRUNCATED` when there are fewer, `ERR_TOKEN` when the token cannot be one. */
export function decodePreamble (bytes: Uint8Array, withToken: boolean): Preamble {
  const wanted = preambleBytes(withToken)
  if (bytes.length < wanted) throw new StorageError('ERR_TRUNCATED', 'connection', `the connection ended inside the preamble: ${bytes.length} < ${wanted} bytes`)
  const nodeId = toHex(bytes.subarray(0, NODE_ID_BYTES))
  if (!withToken) return { nodeId }
  const token = String.fromCharCode(...bytes.subarray(NODE_ID_BYTES, wanted))
  if (!TOKEN.test(token)) throw new StorageError('ERR_TOKEN', 'connection', `the token of node ${nodeId} is not ${TOKEN_BYTES} letters and digits`)
  return { nodeId, token }
}

const TOKEN = /^[A-Za-z0-9]{64}$/

/** Whether two tokens are the same, in a time that does not tell where they differ. For `verifyToken`. */
export function sameToken (a: string, b: string): boolean {
  let differences = a.length ^ TOKEN_BYTES
  differences |= b.length ^ TOKEN_BYTES
  for (let index = 0; index < TOKEN_BYTES; index++) differences |= a.charCodeAt(index) ^ b.charCodeAt(index)
  return differences === 0
}
