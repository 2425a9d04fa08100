/**
 * How much is logged: `info`, or `info,warpdrive=debug`: a level, and others for single modules.
 *
 * @module
 */
import { RopewalkError } from '../errors.ts'

export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
export type Level = typeof LEVELS[number]

/** Parts of a node that log: itself, its page, and each protocol. */
export const MODULES = ['node', 'web', 'mdsftp', 'ipc', 'warpdrive', 'casync', 'torronto'] as const

export interface LogLevels {
  readonly usual: Level
  readonly modules: ReadonlyMap<string, Level>
}

/** Where the levels are, when no option says so. */
export const LOG_VARIABLE = 'ROPEWALK_LOG'

export function parseLevels (text: string): LogLevels {
  let usual: Level = 'info'
  const modules = new Map<string, Level>()
  let at = 0
  for (const part of text.split(',')) {
    const [first = '', second] = part.trim().split('=')
    if (second === undefined) usual = levelOf(first, text, at)
    else {
      if (!(MODULES as readonly string[]).includes(first)) throw new RopewalkError('ERR_USAGE', `no module logs under this name; these do: ${MODULES.join(', ')}`, { text, at })
      modules.set(first, levelOf(second, text, at + part.indexOf('=') + 1))
    }
    at += part.length + 1
  }
  return { usual, modules }
}

function levelOf (word: string, text: string, at: number): Level {
  const level = LEVELS.find(level => level === word.trim())
  if (level === undefined) throw new RopewalkError('ERR_USAGE', `a level is one of ${LEVELS.join(', ')}`, { text, at })
  return level
}
