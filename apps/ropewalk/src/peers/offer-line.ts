/**
 * What is told of an offer.
 *
 * @module
 */
import type { FileInfo, StoredOffer } from '@ropewalk/protocol-warpdrive'
import type { Line } from './control.ts'

/** What an offer says of itself, with its files counted. */
export interface OfferLine extends Line {
  readonly id: string
  readonly incoming: boolean
  readonly peer: string
  readonly alias: string
  readonly status: string
  readonly names: readonly string[]
  readonly files: number
  /** Symbolic links, which are no files. */
  readonly links: number
  readonly bytes: number
  readonly done: number
  readonly failures: ReadonlyArray<{ readonly name: string, readonly code: string, readonly message: string }>
  readonly created_at: number
  /** It is withdrawn, and the peer has not been told yet. */
  readonly untold?: true | undefined
  /** Of one that was received: where, and what became of first components that were taken. */
  readonly directory?: string | undefined
  readonly renamed?: Readonly<Record<string, string>> | undefined
}

/** `alias`: what its peer is called here. */
export function offerLine (offer: StoredOffer, alias: string): OfferLine {
  const { id, incoming, peer, status, files, done = [], failures = [], createdAt, untold } = offer
  const contents = files.filter(isContent)
  const nameOf = ({ uri, path }: { uri: string, path: string }): string => incoming ? uri : path
  return {
    id, incoming, peer, alias, status, names: [...new Set(files.map(file => nameOf(file).split('/')[0] as string))].slice(0, 16),
    files: contents.length, links: files.filter(({ link }) => link !== undefined).length, bytes: contents.reduce((sum, { size }) => sum + size, 0), done: done.filter(index => files[index] !== undefined && isContent(files[index])).length,
    failures: failures.map(([index, code, message]) => ({ name: nameOf(files[index] ?? { uri: '', path: '' }), code, message })), created_at: createdAt, ...untold === true ? { untold } : {}
  }
}

/** Of an offer of ours that broke off, every file that is not known to be whole there: why some are not, only the other side knows. */
export function withMissing (offer: StoredOffer, line: OfferLine): OfferLine {
  if (offer.incoming || offer.status !== 'failed') return line
  const told = new Set([...offer.done, ...(offer.failures ?? []).map(([index]) => index)])
  const missing = offer.files.filter((file, index) => isContent(file) && !told.has(index))
  return { ...line, failures: [...line.failures, ...missing.map(({ path }) => ({ name: path, code: 'ERR_INCOMPLETE', message: 'not whole there; the other side may know why' }))] }
}

/** Nothing comes after it: it has arrived, or somebody has said no to it. */
export function isOver ({ status }: Pick<StoredOffer, 'status'>): boolean {
  return status === 'completed' || status === 'rejected' || status === 'withdrawn'
}

/** Whether it is a file, and no folder or link. */
export function isContent ({ isDir, link }: FileInfo): boolean {
  return !isDir && link === undefined
}
