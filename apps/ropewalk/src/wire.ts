/**
 * Which generation of the wire is spoken with a node, and whether that node is one of the original: said in its address, or for
 * all addresses that say nothing. There is no negotiation, so both ends must be told the same.
 *
 * @module
 */
export type ProfileName = 'upstream' | 'seed' | 'seed-code'

export const PROFILE_NAMES: readonly ProfileName[] = ['upstream', 'seed', 'seed-code']

/** What an address says of its wire. */
export interface Wire {
  readonly profile?: ProfileName | undefined
  /** The node is one of the original, which has to be spared what it cannot bear. */
  readonly peer?: 'upstream' | undefined
}

/** Reads what follows the `?` of an address; where it is wrong, how far into it and why. */
export function parseWire (text: string): Wire | { at: number, what: string } {
  const wire: { profile?: ProfileName, peer?: 'upstream' } = {}
  let at = 0
  for (const part of text.split('&')) {
    const [key, value = ''] = part.split('=', 2) as [string, string?]
    if (key === 'profile' && wire.profile === undefined) {
      if (!isProfile(value)) return { at: at + key.length + 1, what: `a profile is one of ${PROFILE_NAMES.join(', ')}` }
      wire.profile = value
    } else if (key === 'peer' && wire.peer === undefined) {
      if (value !== 'upstream') return { at: at + key.length + 1, what: 'the only peer that needs a word is upstream' }
      wire.peer = value
    } else return { at, what: 'after ? come profile=NAME or peer=upstream, with & between them' }
    at += part.length + 1
  }
  return wire
}

export function formatWire ({ profile, peer }: Wire): string {
  const parts = [profile === undefined ? [] : [`profile=${profile}`], peer === undefined ? [] : [`peer=${peer}`]].flat()
  return parts.length === 0 ? '' : `?${parts.join('&')}`
}

function isProfile (text: string): text is ProfileName {
  return (PROFILE_NAMES as readonly string[]).includes(text)
}
