/**
 * Offers and peers for people and programs.
 *
 * @module
 */
import { escapeName } from '@ropewalk/receive'
import { formatBytes, plural } from '../format.ts'
import { harmless } from '../progress/lines.ts'
import type { Result } from '../progress/report.ts'
import type { Line } from './control.ts'
import type { OfferLine } from './offer-line.ts'

/** Digits of an id that are shown to people: enough to name it by. */
const SHORT = 8

/** `photos and 2 more`. */
export function namesOf ({ names }: OfferLine): string {
  const [first = '', ...rest] = names
  return `${escapeName(first, 60)}${rest.length === 0 ? '' : ` and ${rest.length} more`}`
}

export function aliasOf (line: { readonly peer?: unknown, readonly alias?: unknown }): string {
  return escapeName(typeof line.alias === 'string' && line.alias !== '' ? line.alias : `sha256=${String(line.peer).slice(0, 16)}…`)
}

/** `2 files, 1 link, 12.0 MiB`. */
export function sizeOf ({ files, links, bytes }: OfferLine): string {
  return [plural(files, 'file'), ...links > 0 ? [plural(links, 'link')] : [], formatBytes(bytes)].join(', ')
}

const WORDS: Readonly<Record<string, readonly [incoming: string, outgoing: string]>> = {
  awaiting: ['waits for you to accept', 'waits for them to accept'],
  accepted: ['is coming', 'is going'],
  updated: ['is coming', 'is going'],
  completed: ['arrived', 'arrived there'],
  failed: ['broke off', 'broke off'],
  rejected: ['you declined', 'they declined'],
  withdrawn: ['they withdrew it', 'you withdrew it']
}

/** `said`: what is said to people instead of its status. */
export function offerResult (offer: OfferLine, event: string = 'offer', said?: string): Result {
  const words = said ?? WORDS[offer.status]?.[offer.incoming ? 0 : 1] ?? offer.status
  const size = sizeOf(offer)
  const failed = offer.failures.length === 0 ? '' : `, ${offer.failures.length} failed`
  return {
    record: { event, ...offer },
    row: [offer.id, offer.incoming ? 'in' : 'out', offer.status, offer.peer, String(offer.files), String(offer.bytes), namesOf(offer)],
    lines: [`${offer.id.slice(0, SHORT)}  ${namesOf(offer)}`, `          ${offer.incoming ? 'from' : 'to'} ${aliasOf(offer)}: ${words} (${size}${failed})`, ...placeOf(offer)]
  }
}

function placeOf ({ directory, renamed = {}, files, done }: OfferLine): string[] {
  if (directory === undefined || (done === 0 && files > 0)) return []
  const names = Object.values(renamed)
  return [`          in ${escapeName(directory)}${names.length === 0 ? '' : `, as ${names.map(name => escapeName(name, 60)).join(', ')}`}`]
}

export function failureResult (offer: OfferLine, failure: OfferLine['failures'][number]): Result {
  const name = escapeName(failure.name)
  // Names in it are escaped already.
  const message = harmless(failure.message).replaceAll('\n', ' ')
  return {
    record: { event: 'failure', offer: offer.id, ...failure },
    row: ['failed', failure.code, name, message],
    lines: [`          ${name}: ${message} (${failure.code})`]
  }
}

export function peerResult (peer: Line, event: string = 'peer'): Result {
  const { mode, connected, nearby, claims } = peer
  const addresses = (peer['addresses'] as readonly string[] | undefined) ?? []
  const stranger = mode === 'unknown'
  const where = [...connected === true ? ['connected'] : [], ...nearby === true ? ['on this network'] : [], ...addresses.slice(0, 1)].map(text => escapeName(text)).join(', ')
  const name = stranger ? `not paired, calls itself ${escapeName(String(claims), 40)}` : aliasOf(peer as { peer: string })
  return {
    record: { event, ...peer },
    row: [String(peer['peer']), stranger ? '' : escapeName(String(peer['alias'])), String(mode), addresses.map(text => escapeName(text)).join(',')],
    lines: [`${name}${stranger ? '' : `  ${String(mode)}`}${where === '' ? '' : `  (${where})`}`, `  sha256=${String(peer['peer'])}`]
  }
}
