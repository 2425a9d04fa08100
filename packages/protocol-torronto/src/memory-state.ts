/** What the parts of a swarm's state remember together, and the effects that they have gathered. Pure. */
import type { StateOptions, SwarmEffect, SwarmEvent } from './facts.ts'
import type { FileState } from './file-state.ts'
import type { PeerState } from './peer-state.ts'

export class Memory {
  readonly options: StateOptions
  readonly peers: Map<string, PeerState> = new Map()
  readonly files: Map<string, FileState> = new Map()
  effects: SwarmEffect[] = []

  constructor (options: StateOptions) {
    this.options = options
  }

  event (event: SwarmEvent): void {
    this.effects.push({ type: 'event', event })
  }

  /** What was gathered; begins anew. */
  take (): SwarmEffect[] {
    const { effects } = this
    this.effects = []
    return effects
  }
}
