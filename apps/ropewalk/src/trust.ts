/**
 * Whether to trust a node whose address says nothing of its key.
 *
 *      our own key (a node of this user)   trusted: only who holds it can show it
 *      the key that is kept                trusted
 *      another than the one that is kept   refused, whatever was said
 *      unknown, --trust                    trusted from now on
 *      unknown, somebody at a terminal     asked
 *      unknown                             refused, and the key is shown
 *
 * @module
 */
import type { TlsAddress } from '@ropewalk/transport-tcp'
import { formatAddress, formatHostPort } from './address.ts'
import { RopewalkError } from './errors.ts'
import type { KnownNodes } from './known-nodes.ts'

export interface TrustOptions {
  readonly known: KnownNodes
  /** The fingerprint of this user's own key. */
  readonly own: string
  /** `--trust`. */
  readonly trust: boolean
  /** Asks whoever sits at the terminal; undefined where nobody does. */
  readonly ask: ((question: string) => Promise<boolean>) | undefined
  readonly note: (text: string) => void
  /** Writes the address as it is typed. Default: as that of a storage node. */
  readonly format?: ((address: TlsAddress) => string) | undefined
}

/** True when the node at `address` that has shown `shown` is trusted without a question. Throws `ERR_UNTRUSTED` for another key than the one kept. */
export async function isTrusted (address: TlsAddress, shown: string, options: TrustOptions): Promise<boolean> {
  const { known, own, trust } = options
  if (shown === own) return true
  const node = formatHostPort(address)
  const kept = await known.find(node)

  if (kept === undefined) {
    if (trust) await keep(node, shown, options)
    return trust
  }
  if (kept.fingerprint === shown) return true
  throw new RopewalkError('ERR_UNTRUSTED', `the node at ${node} has another key than it had`, {
    advice: [
      `now:  sha256=${shown}`,
      `kept: sha256=${kept.fingerprint}`,
      'Either the node was set up anew, or somebody else is answering in its place.',
      `If you know that it is the former, remove line ${kept.line} of`,
      known.path
    ]
  })
}

/** Asks about a node that is not known, and keeps its key where the answer is yes. Throws `ERR_UNTRUSTED`, with advice, where it is not. */
export async function requireConsent (address: TlsAddress, shown: string, options: TrustOptions): Promise<void> {
  const node = formatHostPort(address)
  const question = `The node at ${node} is not known here. Its key is\n  sha256=${shown}\nThe node printed its key when it started. Is it the same?`
  if (options.ask !== undefined && await options.ask(question)) return await keep(node, shown, options)

  throw new RopewalkError('ERR_UNTRUSTED', `the node at ${node} is not known here`, {
    advice: [
      'If this is the address that the node printed when it started, use it whole:',
      '',
      (options.format ?? formatAddress)({ ...address, fingerprint: shown }),
      '',
      'or say --trust once: its key is then kept in',
      options.known.path
    ]
  })
}

async function keep (node: string, shown: string, { known, note }: TrustOptions): Promise<void> {
  await known.add(node, shown)
  note(`The key of ${node} is kept in ${known.path}`)
}
