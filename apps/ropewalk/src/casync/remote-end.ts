/**
 * What casync starts at the other end: `[OPTIONS] pull|push BASE ARCHIVE INDEX STORE...`, the protocol on standard input and output.
 * Exit codes are casync's: 0, and 1 for anything else.
 *
 * @module
 */
import { escapeName } from '@ropewalk/receive'
import { stdio } from '@ropewalk/transport-stdio'
import type { Context } from '../context.ts'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { confine, commandWords, type Confinement } from './confine.ts'
import { parseLocator, type Locator } from './locator.ts'
import { serveCall } from './serving.ts'

export interface HelperCall {
  readonly verb: 'pull' | 'push'
  readonly archive: Locator | undefined
  readonly index: Locator | undefined
  /** Undefined for a `-`. */
  readonly stores: ReadonlyArray<Locator | undefined>
}

const NOT_EMPTY = 'nothing to give or take: archive, index and stores are all -'

/** Whether `argv` is for this program, or for a person. */
export function isHelperCall (argv: readonly string[]): boolean {
  return argv.some(word => /^--(root|allow)=/.test(word)) || ['pull', 'push'].includes(argv.find(word => !word.startsWith('-')) ?? '')
}

/** Serves one client. */
export async function runHelper (argv: readonly string[], context: Context): Promise<Exit> {
  try {
    const confinement = confinementOf(argv)
    const words = confinement === undefined ? argv : commandWords(context.env['SSH_ORIGINAL_COMMAND'] ?? '').slice(1)
    const call = parseHelperCall(words)
    await serveCall(stdio(), confinement === undefined ? call : await confine(call, confinement), { env: context.env, signal: context.signal, readAtOnce: true })
    return Exit.done
  } catch (error) {
    context.stderr.write(`ropewalk-casync: ${escapeName(messageOf(error))} (${codeOf(error)})\n`)
    return Exit.failed
  }
}

export function parseHelperCall (argv: readonly string[]): HelperCall {
  const words = argv.filter((word, at) => {
    if (!/^-./.test(word)) return true
    // Wherever they stand; casync passes them on, and its own helper takes no notice of them.
    if (/^--(rate-limit-bps|log-level)=/.test(word) || ['--verbose', '-v'].includes(word)) return false
    throw new RopewalkError('ERR_USAGE', `unknown option ${escapeName(word)}`, { text: argv.join(' '), at: argv.slice(0, at).join(' ').length })
  })
  const [verb, base, archive, index, ...stores] = words
  if (verb !== 'pull' && verb !== 'push') throw new RopewalkError('ERR_USAGE', 'pull or push')
  if (base === undefined || archive === undefined || index === undefined || stores.length === 0) throw new RopewalkError('ERR_USAGE', `${verb} BASE ARCHIVE INDEX STORE...`)
  if (base !== '-') throw new RopewalkError('ERR_USAGE', 'a base tree is not supported: it must be -')
  const call: HelperCall = { verb, archive: locator(archive), index: locator(index), stores: stores.map(locator) }
  if (call.archive === undefined && call.index === undefined && call.stores.every(store => store === undefined)) throw new RopewalkError('ERR_USAGE', NOT_EMPTY)
  return call
}

function locator (word: string): Locator | undefined {
  return word === '-' ? undefined : parseLocator(word)
}

function confinementOf (argv: readonly string[]): Confinement | undefined {
  const values = (name: string): string[] => argv.flatMap(word => word.startsWith(`--${name}=`) ? [word.slice(name.length + 3)] : [])
  const roots = values('root')
  const allowed = values('allow').flatMap(value => value.split(','))
  if (roots.length === 0 && allowed.length === 0) return undefined
  if (roots.length === 0) throw new RopewalkError('ERR_USAGE', '--allow needs --root=DIRECTORY')
  return { roots, allowed: allowed.length === 0 ? ['pull'] : allowed }
}
