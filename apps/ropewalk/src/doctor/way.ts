/**
 * The way to a node, up to an open connection, and where it ends: name, connection, TLS, key, WebSocket.
 *
 * @module
 */
import { lookup } from 'node:dns/promises'
import type { Connection } from '@ropewalk/interface'
import { loadIdentity } from '@ropewalk/transport-tcp'
import { formatAddress, formatHostPort, isLocal, type NodeAddress } from '../address.ts'
import type { Context } from '../context.ts'
import { codeOf, RopewalkError } from '../errors.ts'
import { KnownNodes } from '../known-nodes.ts'
import { statePath } from '../state-directory.ts'
import { dialAddress } from '../transports.ts'
import type { Step } from './steps.ts'

/** Steps, and what closes what they have opened. */
export interface Steps {
  readonly steps: readonly Step[]
  readonly close: () => void
}

export interface Way {
  readonly steps: readonly Step[]
  /** What the steps have opened; undefined before. */
  readonly connection: () => Connection | undefined
}

/** Every step, and every wait within one, is over when a signal of `within` is. */
export function waySteps (context: Context, address: NodeAddress, within: () => AbortSignal): Way {
  const state = statePath(context.env)
  const plain = address.transport === 'unix' ? address : { transport: 'tcp' as const, host: address.host, port: address.port }
  // Below what comes next, a connection is only a try.
  const bare = address.transport !== 'tls' && address.web === undefined
  let [connection, shown]: [Connection | undefined, string | undefined] = [undefined, undefined]
  const steps: Step[] = []
  if (address.transport !== 'unix') {
    steps.push({
      name: 'resolve',
      needed: true,
      run: async () => {
        const found = await inTime(lookup(address.host, { all: true }), within())
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
  return { steps, connection: () => connection }
}

/** For what takes no signal: it goes on, and nobody waits for it. */
async function inTime<T> (work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const stop = (): void => { reject(signal.reason) }
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  try {
    return await Promise.race([promise, work])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Why what was opened is closed again. */
export function examined (): RopewalkError {
  return new RopewalkError('ERR_STOPPED', 'the examination is over')
}

/** What is wrong where a node does not let somebody in, or cannot be understood. */
export const UNHEARD = 'It has shaken hands, and answers nothing that can be read.'

const NO_WEB_SOCKET = ['It answers, and opens no WebSocket: is the path right, and is it one with TLS (yamux+wss://) or without (yamux+ws://)?']

function connectAdvice (error: unknown, address: NodeAddress): string[] {
  const cause = codeOf(error instanceof Error ? error.cause : undefined)
  if (cause === 'ECONNREFUSED') return ['The machine is there, and nobody listens at that port.', isLocal(address) ? '"ropewalk serve" starts a node.' : 'Does the node run, and listen for other machines: --listen mdsftp+tls://0.0.0.0:7740?']
  if (cause === 'ENOENT') return ['There is no such socket: does the node run?']
  if (cause === 'EACCES') return ['The socket belongs to another user.']
  return ['No answer: a firewall, a wrong address, or a machine that is off.']
}
