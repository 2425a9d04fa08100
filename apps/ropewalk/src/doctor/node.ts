/**
 * Whether a node can be reached, and where the way ends: name, connection, TLS, key, muxer, window.
 *
 * @module
 */
import { lookup } from 'node:dns/promises'
import { connectNode, MAX_SEND_BYTES, query, randomId, type StorageConnection } from '@ropewalk/protocol-mdsftp'
import { loadIdentity } from '@ropewalk/transport-tcp'
import type { Connection } from '@ropewalk/interface'
import { formatAddress, formatHostPort, isLocal, type NodeAddress } from '../address.ts'
import type { Context } from '../context.ts'
import { loadToken } from '../credentials.ts'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import { formatRate } from '../format.ts'
import { KnownNodes } from '../known-nodes.ts'
import { channelOf, STORAGE_PROTOCOL } from '../muxed-route.ts'
import { loadNodeId, statePath } from '../state-directory.ts'
import { dialAddress } from '../transports.ts'
import { wireOptions } from '../wire-options.ts'
import type { Step } from './steps.ts'

export interface NodeFlags {
  readonly tokenFile?: string | undefined
  readonly timeoutMs: number
}

/** The steps, and what closes what they have opened. */
export function nodeSteps (context: Context, address: NodeAddress, { tokenFile, timeoutMs }: NodeFlags): { readonly steps: Step[], readonly close: () => void } {
  const state = statePath(context.env)
  const within = (): AbortSignal => AbortSignal.any([context.signal, AbortSignal.timeout(timeoutMs)])
  const plain = address.transport === 'unix' ? address : { transport: 'tcp' as const, host: address.host, port: address.port }
  // Below what comes next, a connection is only a try.
  const bare = address.transport !== 'tls' && address.web === undefined
  let [connection, shown]: [Connection | undefined, string | undefined] = [undefined, undefined]
  let node: StorageConnection | undefined
  const steps: Step[] = []
  if (address.transport !== 'unix') {
    steps.push({
      name: 'resolve',
      needed: true,
      run: async () => {
        const found = await lookup(address.host, { all: true })
        return `${address.host} is ${found.map(({ address }) => address).slice(0, 4).join(', ')}`
      },
      advice: () => ['Is the name spelled right? An address in numbers works without a name server.']
    })
  }
  steps.push({
    name: 'connect',
    needed: true,
    run: async () => {
      const reached = await dialAddress(plain, { signal: within() })
      if (bare) connection = reached
      else reached.abort(new RopewalkError('ERR_STOPPED', 'only asked'))
      return address.transport === 'unix' ? address.path : `${formatHostPort(address)} answers`
    },
    advice: error => connectAdvice(error, address)
  })
  if (address.transport === 'tls') {
    steps.push({
      name: 'tls',
      needed: true,
      run: async () => {
        connection = await dialAddress({ ...address, fingerprint: undefined }, { signal: within(), tls: { identity: await loadIdentity(state), verify: fingerprint => { shown = fingerprint; return true } } })
        return `its key is sha256=${String(shown)}`
      },
      advice: error => codeOf(error) === 'ERR_REFUSED' ? NO_WEB_SOCKET : ['Something listens there, and it is no node with TLS: is the port right, or is it one without (+tcp://, +ws://)?']
    }, {
      name: 'identity',
      needed: true,
      run: async () => {
        const known = await new KnownNodes(state).find(formatHostPort(address))
        const wanted = address.fingerprint ?? known?.fingerprint
        if (wanted !== undefined && wanted !== shown) throw new RopewalkError('ERR_UNTRUSTED', `sha256=${String(shown)} is not ${address.fingerprint === undefined ? 'the key that is kept' : 'the key in the address'}`)
        if (wanted !== undefined) return address.fingerprint === undefined ? 'the key that is kept' : 'the key in the address'
        if (shown === (await loadIdentity(state)).fingerprint) return 'a node of yours'
        return { warning: 'nobody has said that this key is right', advice: [`Compare it with what the node has printed, and use ${formatAddress({ ...address, fingerprint: shown })}`] }
      },
      advice: () => ['Either the node was set up anew, or somebody else is answering in its place: ask whoever runs it.', 'If it is the former, take the new address, or remove the line in known-nodes.']
    })
  }
  if (address.transport === 'tcp' && address.web !== undefined) {
    steps.push({
      name: 'websocket',
      needed: true,
      run: async () => {
        connection = await dialAddress(address, { signal: within() })
        return `a WebSocket opens at ${String(address.web)}`
      },
      advice: () => NO_WEB_SOCKET
    })
  }
  steps.push({
    name: 'muxer',
    needed: true,
    run: async () => {
      const carried = address.mux === undefined ? connection as Connection : await channelOf(connection as Connection, STORAGE_PROTOCOL, { signal: within() })
      node = connectNode(carried, { nodeId: await loadNodeId(state), token: await loadToken(context.env, tokenFile), ...wireOptions(address, 'upstream') })
      node.refuse()
      const began = performance.now()
      await query(node, randomId(), { signal: within() })
      return `channels open and answer, ${(performance.now() - began).toFixed(1)} ms there and back`
    },
    advice: error => ['It has shaken hands, and answers nothing that can be read.', ...muxerAdvice(error)]
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
  })
  return { steps, close: () => { (node ?? connection)?.abort(new RopewalkError('ERR_STOPPED', 'the examination is over')) } }
}

const NO_WEB_SOCKET = ['It answers, and opens no WebSocket: is the path right, and is it one with TLS (yamux+wss://) or without (yamux+ws://)?']

/** Round trips of which the best counts: the first one warms up. */
const ROUNDS = 3

function muxerAdvice (error: unknown): string[] {
  return [codeOf(error) === 'ERR_REFUSED' ? messageOf(error) : 'Does it ask for a token (--token-file), know your key ("ropewalk identity"; there --allow or "ropewalk grant"), or speak another wire (?profile=seed)?']
}

function connectAdvice (error: unknown, address: NodeAddress): string[] {
  const cause = codeOf(error instanceof Error ? error.cause : undefined)
  if (cause === 'ECONNREFUSED') return ['The machine is there, and nobody listens at that port.', isLocal(address) ? '"ropewalk serve" starts a node.' : 'Does the node run, and listen for other machines: --listen mdsftp+tls://0.0.0.0:7740?']
  if (cause === 'ENOENT') return ['There is no such socket: does the node run?']
  if (cause === 'EACCES') return ['The socket belongs to another user.']
  return ['No answer: a firewall, a wrong address, or a machine that is off.']
}
