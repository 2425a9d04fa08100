/**
 * The node of this user, as the commands reach it: the one that runs; where none does, one for as long as the command takes.
 *
 * @module
 */
import type { Channel } from '@ropewalk/interface'
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
import type { Service } from '../services/service.ts'
import { statePath } from '../state-directory.ts'
import { ask, CONTROL, type Line } from './control.ts'
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
  const path = controlPath(state)
  let connection = await dial({ transport: 'unix', path }, { signal: context.signal }).catch(nobody)
  let service: Service | undefined
  let heapAsItWas: (() => void) | undefined
  if (connection === undefined) {
    if (options.alone === 'refuse') {
      throw new RopewalkError('ERR_UNREACHABLE', 'no node of yours is running', { advice: options.advice ?? ['"ropewalk serve --inbox DIRECTORY" starts one, in another terminal.'] })
    }
    heapAsItWas = keepHeapSmall()
    const board = new ActivityBoard()
    const control = await Control.open(state)
    service = await startPeers({
      context, board, door: new Door({ board, state }), policy: new Policy(), muxed: new Muxed(), control, state, json: true, note: () => {}, listening: () => {}, onTrouble: () => {}
    }, {
      addresses: options.alone === 'listening' ? [{ transport: 'tls', host: '::', port: 0 }] : [],
      inbox: undefined, discover: options.discover ?? false
    }).catch(async (error: unknown) => {
      await control.close()
      throw error
    })
    connection = await dial({ transport: 'unix', path }, { signal: context.signal })
  }
  const muxer = mdsftp(connection, { role: 'dialer' })
  const open = async (): Promise<Channel> => {
    const { signal } = context
    return (await select(await muxer.open({ signal }), [CONTROL], { lazy: true, signal })).channel
  }
  try {
    return await work(async function * (request) {
      const channel = await open().catch((error: unknown) => {
        context.signal.throwIfAborted()
        throw new RopewalkError('ERR_UNREACHABLE', 'the node has ended', { cause: error })
      })
      yield * ask(channel, request, context.signal)
    }, service === undefined)
  } finally {
    muxer.abort(new RopewalkError('ERR_STOPPED', 'the command is over'))
    await service?.stop(context.signal.aborted ? 0 : LAST_WORD_MS)
    heapAsItWas?.()
  }
}

function nobody (error: unknown): undefined {
  const cause = codeOf(error instanceof Error ? error.cause : undefined)
  if (cause === 'ENOENT' || cause === 'ECONNREFUSED' || codeOf(error) === 'ERR_CONNECT') return undefined
  throw error
}
