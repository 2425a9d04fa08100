import { settle } from '@ropewalk/testing'

/** Sockets, and the queues of libp2p's connections in memory, take a timer's tick now and then: some thousand turns are more than that. */
const TURNS = 5000

/** Waits until `measure` gives the same value for long enough, and gives that. */
export function still<T> (measure: () => T): Promise<T> {
  return settle(measure, { turns: TURNS })
}
