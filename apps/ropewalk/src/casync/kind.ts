/**
 * What a name stands for: by its ending, as casync has it, unless `--what` says otherwise.
 *
 * @module
 */
import { stat } from 'node:fs/promises'
import { fileError, RopewalkError } from '../errors.ts'
import { nameOf, parseLocator } from './locator.ts'

export const KINDS = ['archive', 'archive-index', 'blob', 'blob-index', 'directory'] as const

export type Kind = typeof KINDS[number]

const ENDINGS: Readonly<Record<string, Kind>> = { catar: 'archive', caidx: 'archive-index', caibx: 'blob-index' }

export function parseKind (text: string): Kind {
  if (!(KINDS as readonly string[]).includes(text)) throw new RopewalkError('ERR_USAGE', `one of ${KINDS.join(', ')}`, { text })
  return text as Kind
}

/** Of something that is there. */
export async function kindOf (text: string, what?: Kind): Promise<Kind> {
  if (what !== undefined) return what
  const byName = kindByName(text)
  if (byName !== undefined) return byName
  const locator = parseLocator(text)
  if (locator.kind !== 'file') throw new RopewalkError('ERR_USAGE', 'its name ends in none of .catar, .caidx and .caibx', { text, advice: ['--what= says what it is.'] })
  const stats = await stat(locator.path).catch((error: unknown) => { throw new RopewalkError('ERR_FILE', fileError(error).message, { text, cause: error }) })
  return stats.isDirectory() ? 'directory' : 'blob'
}

/** Of something that shall be made. */
export function kindToMake (text: string, what?: Kind): Kind {
  const kind = what ?? kindByName(text)
  if (kind === undefined || kind === 'blob' || kind === 'directory') throw new RopewalkError('ERR_USAGE', 'what is made ends in .caibx, .caidx or .catar', { text, advice: ['--what=blob-index, archive-index or archive says what it shall be.'] })
  return kind
}

/** Undefined where the name says nothing. */
export function kindByName (text: string): Kind | undefined {
  return ENDINGS[/\.([a-z]+)$/.exec(nameOf(parseLocator(text)))?.[1] ?? '']
}
