/**
 * Connections to any number of nodes, dialled when they are needed and again when they are lost.
 *
 * @module
 */
import type { AbortOptions } from '@ropewalk/interface'
import { Pool, type StorageConnection, type Use } from '@ropewalk/protocol-mdsftp'
import { formatAddress, type NodeAddress } from './address.ts'
import type { Context } from './context.ts'
import { codeOf } from './errors.ts'
import { writeLines } from './progress/lines.ts'
import { countChannels, openSession, SILENT, type SessionFlags } from './session.ts'

/** An address, and who has named it. */
export interface NodeChoice {
  readonly address: NodeAddress
  /** A file names it, not the user: it is not told our token unless somebody else vouches for it. */
  readonly guarded: boolean
}

/** A dial has a deadline of its own; this is for whoever is asked at a terminal. Ours. */
const ASK_MS = 300_000

/** How long a close may wait for what is under way. By then everything was answered. Ours. */
const CLOSE_TIMEOUT_MS = 1000

export class Nodes implements AsyncDisposable {
  readonly #pool: Pool
  readonly #choices = new Map<string, NodeChoice>()
  readonly #shown = new Map<string, string | undefined>()
  readonly #counts: Array<() => number> = []
  readonly #silent = new Set<() => boolean>()
  readonly #tell: (text: string) => void

  constructor (context: Context, flags: SessionFlags) {
    this.#tell = text => { if (!flags.json && !context.signal.aborted) writeLines(context.stderr, text) }
    this.#pool = new Pool({
      dialMs: ASK_MS,
      dial: async key => {
        const { address, guarded } = this.#choices.get(key) as NodeChoice
        const node = await openSession(context, address, flags, guarded)
        this.#shown.set(key, flags.ca === undefined ? node.remote.fingerprint : undefined)
        const { readAt } = node
        const count = countChannels(node)
        this.#counts.push(count)
        this.#silent.add(() => count() > 0 && node.readAt === readAt)
        return node
      }
    })
  }

  /** Runs `operation` on a connection to the node. */
  async use<T> ({ address, guarded }: NodeChoice, operation: (node: StorageConnection) => Promise<T>, options: AbortOptions = {}): Promise<T> {
    const key = formatAddress(address)
    if (!this.#choices.has(key)) this.#choices.set(key, { address, guarded })
    return await this.#pool.use(key, operation, options)
  }

  /** The same for one node, as the library wants it. */
  at (choice: NodeChoice): Use {
    return async (operation, options) => await this.use(choice, operation, options)
  }

  /** The text by which others reach the node: with the key that it has shown, unless an authority vouches for it. */
  nameOf ({ address }: NodeChoice): string {
    const shown = this.#shown.get(formatAddress(address))
    return formatAddress(address.transport === 'tls' && shown !== undefined ? { ...address, fingerprint: shown } : address)
  }

  /** Channels opened so far. */
  readonly channels = (): number => this.#counts.reduce((sum, count) => sum + count(), 0)

  async [Symbol.asyncDispose] (): Promise<void> {
    if ([...this.#silent].some(silent => silent())) this.#tell(SILENT)
    await this.#pool.close({ signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) }).catch(() => {})
  }
}

/** Whether it is worth dialling again: who is not trusted now will not be in a minute. */
export function mayComeBack (error: unknown): boolean {
  return codeOf(error) === 'ERR_UNREACHABLE' || codeOf(error) === 'ERR_TIMEOUT' || codeOf(error) === 'ERR_INTERRUPTED'
}
