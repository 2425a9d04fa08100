/**
 * Nodes of the local network, by multicast DNS. Hints and nothing more: whoever is dialled must still have the key, and a name that was found so
 * is the name of nobody.
 *
 * @module
 */
import { networkInterfaces } from 'node:os'
import type { MulticastDNS, ResponsePacket } from 'multicast-dns'
import type { TlsAddress } from '@ropewalk/transport-tcp'

export const SERVICE = '_ropewalk._tcp.local'

/** Nodes that are remembered; the oldest goes. Ours: anybody on the network can tell of any number. */
export const MAX_NEARBY = 64

/** How long a node is remembered that is not heard of. Ours. */
export const NEARBY_MS = 120_000

/** Between two questions. Ours. */
const ASK_MS = 30_000

export interface Nearby {
  /** What it calls itself: escape it. */
  readonly name: string
  /** What it claims. */
  readonly fingerprint: string
  readonly host: string
  readonly port: number
  /** The first digits of the code that it says it has out. */
  readonly plate: number | undefined
}

export interface DiscoveryOptions {
  readonly onTrouble: (who: string, error: unknown) => void
  readonly multicast: MulticastDNS
  readonly now?: (() => number) | undefined
}

type Announced = Omit<Nearby, 'host'>

export class Discovery {
  readonly #multicast: MulticastDNS | undefined
  readonly #now: () => number
  readonly #found = new Map<string, { readonly node: Nearby, readonly at: number }>()
  #announced: (() => Announced) | undefined
  #timer: NodeJS.Timeout | undefined
  #heard = Promise.withResolvers<void>()

  /** Without options it finds nobody. */
  constructor (options: DiscoveryOptions | undefined) {
    this.#now = options?.now ?? Date.now
    if (options === undefined) return
    const { multicast } = options
    this.#multicast = multicast
    // A network without multicast is no reason to stop.
    multicast.on('error', error => { options.onTrouble('local network', error) })
    multicast.on('warning', () => {})
    multicast.on('query', ({ questions }) => { if (questions.some(({ name, type }) => name.toLowerCase() === SERVICE && type === 'PTR')) this.#answer() })
    multicast.on('response', (packet, { address }) => { this.#hear(packet, address) })
    this.#timer = setInterval(() => { this.ask() }, ASK_MS).unref()
    this.ask()
  }

  /** Answers who asks, with what `announced` says then. */
  announce (announced: () => Announced): void {
    this.#announced = announced
    this.#answer()
  }

  /** Tells the network that something has changed. */
  tell (): void {
    this.#answer()
  }

  ask (): void {
    this.#multicast?.query([{ name: SERVICE, type: 'PTR' }])
  }

  nearby (): Nearby[] {
    const now = this.#now()
    for (const [key, { at }] of this.#found) if (now - at >= NEARBY_MS) this.#found.delete(key)
    return Array.from(this.#found.values(), ({ node }) => node)
  }

  addressesOf (fingerprint: string): TlsAddress[] {
    return this.nearby().filter(node => node.fingerprint === fingerprint).map(({ host, port }) => ({ transport: 'tls', host, port }))
  }

  /** Nodes that say they have a code out that begins so. Waits for the first, until the signal aborts. */
  async waiting (plate: number, signal: AbortSignal): Promise<Nearby[]> {
    for (;;) {
      const found = this.nearby().filter(node => node.plate === plate)
      if (found.length > 0 || signal.aborted) return found
      const { promise, resolve } = Promise.withResolvers<void>()
      signal.addEventListener('abort', () => { resolve() }, { once: true })
      this.ask()
      await Promise.race([promise, this.#heard.promise])
    }
  }

  async close (): Promise<void> {
    clearInterval(this.#timer)
    await new Promise<void>(resolve => {
      if (this.#multicast === undefined) resolve()
      else this.#multicast.destroy(() => { resolve() })
    })
  }

  #answer (): void {
    const announced = this.#announced?.()
    if (announced === undefined || announced.port === 0) return
    const { name, fingerprint, port, plate } = announced
    const instance = `${fingerprint.slice(0, 16)}.${SERVICE}`
    const texts = [`name=${name}`, `sha256=${fingerprint}`, ...plate === undefined ? [] : [`code=${plate}`]]
    this.#multicast?.respond({
      answers: [
        { name: SERVICE, type: 'PTR', ttl: 120, data: instance },
        { name: instance, type: 'SRV', ttl: 120, data: { port, target: `${fingerprint.slice(0, 16)}.local`, priority: 0, weight: 0 } },
        { name: instance, type: 'TXT', ttl: 120, data: texts }
      ]
    })
  }

  /** The address is the sender's own: a record could name anybody's. */
  #hear ({ answers, additionals }: ResponsePacket, host: string): void {
    const records = [...answers, ...additionals]
    for (const record of records) {
      if (record.type !== 'SRV' || !record.name.toLowerCase().endsWith(`.${SERVICE}`)) continue
      const text = records.find(other => other.type === 'TXT' && other.name === record.name)
      const fields = new Map((text?.type === 'TXT' ? [text.data].flat() : []).map(item => String(item).split(/=(.*)/s) as [string, string]))
      const fingerprint = fields.get('sha256') ?? ''
      const { port } = record.data
      const plate = fields.get('code')
      if (!/^[\da-f]{64}$/.test(fingerprint) || !(port > 0 && port <= 65_535) || fingerprint === this.#announced?.().fingerprint) continue
      this.#remember({ name: (fields.get('name') ?? '').slice(0, 64), fingerprint, host, port, plate: plate !== undefined && /^\d{1,2}$/.test(plate) ? Number(plate) : undefined })
    }
  }

  #remember (node: Nearby): void {
    const key = `${node.fingerprint} ${node.host}`
    this.#found.delete(key)
    const [oldest] = this.#found.keys()
    if (this.#found.size >= MAX_NEARBY && oldest !== undefined) this.#found.delete(oldest)
    this.#found.set(key, { node, at: this.#now() })
    this.#heard.resolve()
    this.#heard = Promise.withResolvers()
  }
}

/** Addresses at which machines of the local network may reach this one. */
export function ownAddresses (): string[] {
  return Object.values(networkInterfaces()).flatMap(addresses => addresses ?? []).filter(({ internal, family }) => !internal && family === 'IPv4').map(({ address }) => address)
}
