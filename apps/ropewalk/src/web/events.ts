/**
 * What the page is told, as server-sent events: everything once, then what has changed, some times a second.
 *
 * @module
 */
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TransferActivity } from '../activity/activity.ts'
import type { Log } from '../observe/log.ts'
import type { Scene } from './scene.ts'

/** Pages that are told at once; one more is refused. Ours. */
export const MAX_PAGES = 16

/** Between two looks at transfers and connections. Ours: as often as an eye sees a graph move. */
const LOOK_MS = 250

/** Looks between two at offers, peers, stores and the swarm. Ours. */
const SLOW = 4

/** Tells one page what there is until `signal` says stop, or the page has gone. */
export async function tellPage (response: ServerResponse, scene: Scene, log: Log, signal: AbortSignal): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => { gone.abort() })
  const until = AbortSignal.any([gone.signal, signal])
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' })
  const told = new Told()
  let record = 0
  for (let look = 0; !until.aborted; look++) {
    // A page that does not read is told the state of then, when it does.
    if (!response.writableNeedDrain) {
      const { transfers, connections } = scene.board.list()
      const slow = look % SLOW === 0
      if (slow) await scene.names.look()
      const records = log.since(record)
      record = records.at(-1)?.number ?? record
      const news = {
        ...told.transfers(transfers.map(transfer => scene.names.named(transfer))),
        ...told.changed('connections', connections),
        ...slow ? { ...told.changed('offers', scene.offers()), ...told.changed('peers', scene.peers()), ...told.changed('stores', await scene.stores()), ...told.changed('swarm', await scene.swarm() ?? null) } : {},
        ...records.length > 0 ? { log: records } : {}
      }
      if (look === 0 || Object.keys(news).length > 0) response.write(`data: ${JSON.stringify({ now: Date.now(), ...news })}\n\n`)
      else if (slow) response.write(':\n\n')
    }
    await sleep(LOOK_MS, undefined, { signal: until }).catch(() => {})
  }
  response.end()
}

/** What a page knows already. */
class Told {
  readonly #parts = new Map<string, string>()
  readonly #transfers = new Map<string, string>()

  changed (part: string, value: unknown): Record<string, unknown> {
    const text = JSON.stringify(value)
    if (this.#parts.get(part) === text) return {}
    this.#parts.set(part, text)
    return { [part]: value }
  }

  transfers (transfers: readonly TransferActivity[]): Record<string, unknown> {
    const changed: TransferActivity[] = []
    const known = new Set<string>()
    for (const transfer of transfers) {
      const mark = `${transfer.name} ${transfer.changedAt} ${transfer.bytes} ${transfer.state} ${transfer.waitsFor ?? ''}`
      known.add(transfer.id)
      if (this.#transfers.get(transfer.id) === mark) continue
      this.#transfers.set(transfer.id, mark)
      changed.push(transfer)
    }
    const forgotten = Array.from(this.#transfers.keys()).filter(id => !known.has(id))
    for (const id of forgotten) this.#transfers.delete(id)
    return { ...changed.length > 0 ? { transfers: changed } : {}, ...forgotten.length > 0 ? { forgotten } : {} }
  }
}
