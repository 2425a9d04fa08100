/**
 * What was spooled from standard input to be offered: it goes when the offer is over for good. Of an offer that failed it stays, for whoever tries again.
 *
 * @module
 */
import { readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Offer, WarpdriveNode } from '@ropewalk/protocol-warpdrive'
import { isOver } from './offer-line.ts'

/** Where the spooled files of this state lie, each in a folder of its own. */
export function outboxOf (state: string): string {
  return join(state, 'outbox')
}

export class Outbox {
  readonly #folder: string
  readonly #closing = new AbortController()
  readonly #running: Promise<void>

  constructor (state: string, warpdrive: WarpdriveNode) {
    this.#folder = outboxOf(state)
    this.#running = this.#run(warpdrive, this.#left(warpdrive))
  }

  /** What is over by now is removed. */
  async close (): Promise<void> {
    this.#closing.abort()
    await this.#running
  }

  /** What was spooled by a command that was killed before it made an offer of it. Nobody spools yet. */
  #left (warpdrive: WarpdriveNode): string[] {
    try {
      const offered = new Set(warpdrive.offers(2).flatMap(({ files }) => files.map(({ uri }) => dirname(uri))))
      return readdirSync(this.#folder).map(name => join(this.#folder, name)).filter(folder => !offered.has(folder))
    } catch {
      return []
    }
  }

  async #run (warpdrive: WarpdriveNode, left: readonly string[]): Promise<void> {
    const { signal } = this.#closing
    for (const folder of left) await rm(folder, { recursive: true, force: true }).catch(() => {})
    do {
      const changes = warpdrive.listen('status', 2, { signal }) as AsyncIterable<Offer>
      for (const offer of warpdrive.offers(2)) await this.#clear(offer)
      try {
        for await (const offer of changes) await this.#clear(offer)
      } catch {
        // Too many changes at once: all offers are looked at again.
      }
    } while (!signal.aborted)
  }

  async #clear ({ status, files }: Offer): Promise<void> {
    if (!isOver({ status })) return
    // Of our own offers the node knows where each file lies.
    const spooled = files.map(({ uri }) => dirname(uri)).filter(folder => dirname(folder) === this.#folder)
    for (const folder of spooled) await rm(folder, { recursive: true, force: true }).catch(() => {})
  }
}
