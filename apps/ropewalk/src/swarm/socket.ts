import { join } from 'node:path'

/** The socket by which commands reach the peer of this user. */
export function swarmSocket (state: string): string {
  return join(state, 'swarm.sock')
}
