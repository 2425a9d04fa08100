/**
 * A helper behind a forced command of sshd: the client's words come in `SSH_ORIGINAL_COMMAND`, and only what lies below the roots may be
 * named by them.
 *
 * @module
 */
import { realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { RopewalkError } from '../errors.ts'
import type { HelperCall } from './remote-end.ts'
import type { Locator } from './locator.ts'

export interface Confinement {
  readonly roots: readonly string[]
  /** `pull`, `push`. */
  readonly allowed: readonly string[]
  /** Where names begin that are not absolute. Default: the first root. */
  readonly base?: string | undefined
}

/** Splits as a POSIX shell would, and expands nothing. */
export function commandWords (command: string): string[] {
  const words: string[] = []
  const word = /\s*((?:[^\s'"\\]|\\[^]|'[^']*'|"(?:[^"\\]|\\[^])*")+)/y
  let at = 0
  while (at < command.trimEnd().length) {
    word.lastIndex = at
    const [, found] = word.exec(command) ?? []
    if (found === undefined) throw new RopewalkError('ERR_USAGE', 'a quotation mark without its other', { text: command, at })
    words.push(found.replace(/'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])/g, (_, single?: string, double?: string, escaped?: string) => single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? ''))
    at = word.lastIndex
  }
  return words
}

/** The same call with the real paths of what it names; `ERR_REFUSED` for what lies elsewhere. */
export async function confine (call: HelperCall, { roots, allowed, base }: Confinement): Promise<HelperCall> {
  if (!allowed.includes(call.verb)) throw new RopewalkError('ERR_REFUSED', `${call.verb} is not allowed here`)
  const real = await Promise.all(roots.map(async root => await realpath(root).catch(() => { throw new RopewalkError('ERR_FILE', 'no such root', { text: root }) })))

  const inside = async (locator: Locator | undefined): Promise<Locator | undefined> => {
    if (locator === undefined) return undefined
    if (locator.kind !== 'file') throw refusal()
    if (locator.path.split('/').includes('..')) throw refusal()
    const path = await realest(resolve(base ?? real[0] as string, locator.path))
    if (!real.some(root => path === root || path.startsWith(root.endsWith(sep) ? root : root + sep))) throw refusal()
    return { kind: 'file', path }
  }
  return { verb: call.verb, archive: await inside(call.archive), index: await inside(call.index), stores: await Promise.all(call.stores.map(inside)) }
}

/** Links are followed as far as there is something. */
async function realest (path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(await realest(parent), basename(path))
  }
}

/** Says nothing of what there is elsewhere. */
function refusal (): RopewalkError {
  return new RopewalkError('ERR_REFUSED', 'not below the folders that are served here')
}
