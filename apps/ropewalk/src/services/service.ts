/**
 * What `serve` hosts: each protocol is a service, started with the same host and stopped in the same way.
 *
 * @module
 */
import type { StorageNode } from '@ropewalk/protocol-mdsftp'
import type { ActivityBoard } from '../activity/board.ts'
import type { Context } from '../context.ts'
import type { PeerNode } from '../peers/peer-node.ts'
import type { Requests } from '../peers/requests.ts'
import type { Control } from './control.ts'
import type { Door } from './door.ts'
import type { Muxed } from './muxed.ts'
import type { Policy } from './policy.ts'

/** How long what is under way may take when the node is to stop. Ours. */
export const GRACE_MS = 10_000

/** One protocol that a node speaks. */
export interface Service {
  /** Takes nothing new, and lets what is under way finish within `graceMs`. True when all could. */
  stop (graceMs: number): Promise<boolean>
  /** What the page of the node shows of it, and acts on. */
  readonly shown?: { readonly store?: StorePart | undefined, readonly peers?: PeerPart | undefined } | undefined
}

/** Stops all of them at once, also where one cannot. True when everything under way could finish. */
export async function stopAll (services: readonly Service[], onTrouble: (error: unknown) => void): Promise<boolean> {
  const stopped = await Promise.all(services.map(async service => {
    try {
      return await service.stop(GRACE_MS)
    } catch (error) {
      onTrouble(error)
      return false
    }
  }))
  return !stopped.includes(false)
}

export interface StorePart {
  readonly name: string
  readonly directory: string
  readonly node: StorageNode
  readonly capacity: number | undefined
}

export interface PeerPart {
  readonly node: PeerNode
  readonly requests: Requests
}

/** What a node gives every service. */
export interface Host {
  readonly context: Context
  /** What is under way, and who is connected: every service reports to it. */
  readonly board: ActivityBoard
  /** Every connection comes in through it. */
  readonly door: Door
  /** Where services offer what they speak to listeners for several of them. */
  readonly muxed: Muxed
  /** Who may do what, as it is now. */
  readonly policy: Policy
  /** What the commands of this user ask; undefined where another node answers them. */
  readonly control: Control | undefined
  /** Of this machine: keys, node id, known nodes. */
  readonly state: string
  /** `--json`. */
  readonly json: boolean
  /** A line for people; nothing with `--json`. */
  readonly note: (text: string) => void
  /** A client, or a part of the node, that gave trouble. Bounded in lines a second. */
  readonly onTrouble: (who: string, error: unknown) => void
  /** Where a service listens, as clients need the address. */
  readonly listening: (address: string) => void
}
