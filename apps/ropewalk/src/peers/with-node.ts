/**
 * The node of this user, as the commands reach it: the one that runs; where none does, one for as long as the command takes.
 *
 * @module
 */
import type { Channel, Connection } from '@ropewalk/interface'
import { mdsftp } from '@ropewalk/muxer-mdsftp'
import { select } from '@ropewalk/negotiate'
import { dial } from '@ropewalk/transport-tcp'
import { ActivityBoard } from '../activity/board.ts'
import type { Context } from '../context.ts'
import { codeOf, RopewalkError } from '../errors.ts'
import { keepHeapSmall } from '../heap.ts'
import { Control, controlPath } from '../services/control.ts'
import { startPeers } from '../services/peers.ts'
import { Door } from '../services/door.ts'
import { Muxed } from '../services/muxed.ts'
import { Policy } from '../services/policy.ts'
import { statePath } from '../state-directory.ts'
import { ask, askHere, CONTROL, type Line } from './control.ts'
import { LAST_WORD_MS } from './peer-node.ts'

/** What a command does where no node runs. */
export type Alone =
  /** A node for the command, which peers reach only over connections that it has opened. */
  | 'quiet'
  /** One that they can reach, at any port. */
  | 'listening'
  /** The command is of no use without a node that stays. */
  | 'refuse'

export interface NodeOptions {
  readonly alone: Alone
  /** Listen to the local network. */
  readonly discover?: boolean | undefined
  readonly advice?: readonly string[] | undefined
}

/** Asks the node, line by line. */
export type AskNode = (request: Line) => AsyncGenerator<Line, void, undefined>

/** `work` is told whether the node stays when the command is over. */
export async function withNode<T> (context: Context, options: NodeOptions, work: (ask: AskNode, stays: boolean) => Promise<T>): Promise<T> {
  const state = statePath(context.env)
  const connection = await dial({ transport: 'unix', path: controlPath(state) }, { signal: context.signal }).catch(nobody)
  return connection === undefined ? await alone(context, options, state, work) : await elsewhere(context, connection, work)
}

/** The node that runs, over its socket. */
async function elsewhere<T> ({ signal }: Context, connection: Connection, work: (ask: AskNode, stays: boolean) => Promise<T>): Promise<T> {
  const muxer = mdsftp(connection, { role: 'dialer' })
  const open = async (): Promise<Channel> => (await select(await muxer.open({ signal }), [CONTROL], { lazy: true, signal })).channel
  try {
    return await work(async function * (request) {
      const channel = await open().catch((error: unknown) => {
        signal.throwIfAborted()
        throw new RopewalkError('ERR_UNREACHABLE', 'the node has ended', { cause: error })
      })
      yield * ask(channel, request, signal)
    }, true)
  } finally {
    muxer.abort(new RopewalkError('ERR_STOPPED', 'the command is over'))
  }
}

/** One for the command, which others of this user reach meanwhile. */
async function alone<T> (context: Context, options: NodeOptions, state: string, work: (ask: AskNode, stays: boolean) => Promise<T>): Promise<T> {
  if (options.alone === 'refuse') {
    throw new RopewalkError('ERR_UNREACHABLE', 'no node of yours is running', { advice: options.advice ?? ['"ropewalk serve --inbox DIRECTORY" starts one, in another terminal.'] })
  }
  const heapAsItWas = keepHeapSmall(true)
  const board = new ActivityBoard()
  const control = await Control.open(state)
  const service = await startPeers({
    context, board, door: new Door({ board, state }), policy: new Policy(), muxed: new Muxed(), control, state, json: true, note: () => {}, listening: () => {}, onTrouble: () => {}
  }, {
    addresses: options.alone === 'listening' ? [{ transport: 'tls', host: '::', port: 0 }] : [],
    inbox: undefined, discover: options.discover ?? false
  }).catch(async (error: unknown) => {
    await control.close()
    throw error
  })
  try {
    return await work(request => askHere((...asked) => control.perform(...asked), request, context.signal), false)
  } finally {
    await service.stop(context.signal.aborted ? 0 : LAST_WORD_MS)
    heapAsItWas()
  }
}

function nobody (error: unknown): undefined {
  const cause = codeOf(error instanceof Error ? error.cause : undefined)
  if (cause === 'ENOENT' || cause === 'ECONNREFUSED' || codeOf(error) === 'ERR_CONNECT') return undefined
  throw error
}
