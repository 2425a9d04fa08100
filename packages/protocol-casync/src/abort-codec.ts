/**
 * What a peer is told when we give up: casync shows its user the number and drops the text. Pure.
 *
 * @module
 */
import { ERRNO } from './constants.ts'
import { CasyncError, type CasyncErrorCode } from './errors.ts'
import type { Message } from './message-codec.ts'

/** The last message of a session that fails with `error`; `undefined` when the peer needs none, since it has given up itself. */
export function abortFor (error: unknown): Message | undefined {
  if (!(error instanceof CasyncError)) return { type: 'ABORT', errno: errnoOf(error), reason: 'internal error' }
  if (error.code === 'ERR_ABORTED') return undefined
  // Our own trouble may speak of our files; what the peer did wrong it may know.
  const reason = error.remote ? error.message.slice(0, 1000) : error.code
  return { type: 'ABORT', errno: NUMBERS[error.code] ?? errnoOf(error.cause ?? error), reason }
}

const NUMBERS: Partial<Record<CasyncErrorCode, number>> = {
  ERR_FRAME_SIZE: ERRNO.EBADMSG,
  ERR_UNKNOWN_TYPE: ERRNO.EPROTO,
  ERR_FLAGS: ERRNO.EPROTO,
  ERR_MISMATCH: ERRNO.EPROTO,
  ERR_UNEXPECTED_MESSAGE: ERRNO.EBADMSG,
  ERR_UNREQUESTED: ERRNO.EBADMSG,
  ERR_TRUNCATED: ERRNO.EBADMSG,
  ERR_INTERRUPTED: ERRNO.ECONNABORTED,
  ERR_INDEX: ERRNO.EBADMSG,
  ERR_CHUNK_DAMAGED: ERRNO.EBADMSG,
  ERR_CHUNK_SIZE: ERRNO.EBADMSG,
  ERR_CHUNK_MISSING: ERRNO.ENOENT,
  ERR_TIMEOUT: ERRNO.ETIMEDOUT,
  ERR_INDEX_TOO_LARGE: ERRNO.ENOSPC,
  ERR_TOO_MANY_REQUESTS: ERRNO.ENOSPC
}

function errnoOf (error: unknown): number {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ERR_NO_SPACE' || code === 'ENOSPC' || code === 'EDQUOT') return ERRNO.ENOSPC
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return ERRNO.EACCES
  return code === 'ENOENT' ? ERRNO.ENOENT : ERRNO.EIO
}
