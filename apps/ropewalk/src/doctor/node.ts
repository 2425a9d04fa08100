/**
 * Whether a node that stores can be reached, and where the way ends: to it, its muxer, its window.
 *
 * @module
 */
import { connectNode, MAX_SEND_BYTES, query, randomId, type StorageConnection } from '@ropewalk/protocol-mdsftp'
import type { Connection } from '@ropewalk/interface'
import type { NodeAddress } from '../address.ts'
import type { Context } from '../context.ts'
import { loadToken } from '../credentials.ts'
import { codeOf, messageOf } from '../errors.ts'
import { formatRate } from '../format.ts'
import { channelOf, STORAGE_PROTOCOL } from '../muxed-route.ts'
import { loadNodeId, statePath } from '../state-directory.ts'
import { wireOptions } from '../wire-options.ts'
import { examined, UNHEARD, waySteps, type Steps } from './way.ts'

/** Of a node that stores objects. */
export function nodeSteps (context: Context, address: NodeAddress, tokenFile: string | undefined, within: () => AbortSignal): Steps {
  const state = statePath(context.env)
  const way = waySteps(context, address, within)
  let node: StorageConnection | undefined
  const steps = [...way.steps, {
    name: 'muxer',
    needed: true,
    run: async () => {
      const carried = address.mux === undefined ? way.connection() as Connection : await channelOf(way.connection() as Connection, STORAGE_PROTOCOL, { signal: within() })
      node = connectNode(carried, { nodeId: await loadNodeId(state), token: await loadToken(context.env, tokenFile), ...wireOptions(address, 'upstream') })
      node.refuse()
      const began = performance.now()
      await query(node, randomId(), { signal: within() })
      return `channels open and answer, ${(performance.now() - began).toFixed(1)} ms there and back`
    },
    advice: (error: unknown) => [UNHEARD, ...muxerAdvice(error)]
  }, {
    name: 'window',
    run: async () => {
      let best = Infinity
      for (let round = 0; round < ROUNDS; round++) {
        const began = performance.now()
        await query(node as StorageConnection, randomId(), { signal: within() })
        best = Math.min(best, performance.now() - began)
      }
      return `${best.toFixed(1)} ms there and back: one file moves at most ${formatRate(MAX_SEND_BYTES / Math.max(0.001, best / 1000))}, several share more`
    },
    advice: () => ['It answered once, and then no more: the way loses packets, or the node is overloaded.']
  }]
  return { steps, close: () => { (node ?? way.connection())?.abort(examined()) } }
}

/** Round trips of which the best counts: the first one warms up. */
const ROUNDS = 3

function muxerAdvice (error: unknown): string[] {
  return [codeOf(error) === 'ERR_REFUSED' ? messageOf(error) : 'Does it ask for a token (--token-file), know your key ("ropewalk identity"; there --allow or "ropewalk grant"), or speak another wire (?profile=seed)?']
}
