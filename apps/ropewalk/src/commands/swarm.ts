import { basename, resolve } from 'node:path'
import type { FileStatus, SwarmEvent } from '@ropewalk/protocol-torronto'
import { escapeName } from '@ropewalk/receive'
import { dial } from '@ropewalk/transport-tcp'
import type { Context } from '../context.ts'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { plural } from '../format.ts'
import { ask, type Line } from '../peers/control.ts'
import { writeLines } from '../progress/lines.ts'
import { LiveScreen } from '../progress/live-screen.ts'
import { encodeLine } from '../progress/ndjson.ts'
import { painter, peakMemory } from '../progress/report.ts'
import { statePath } from '../state-directory.ts'
import { Member } from '../swarm/member.ts'
import type { SwarmWords } from '../swarm/options.ts'
import { renderSwarm, rowOf } from '../swarm/render.ts'
import { swarmSetup } from '../swarm/setup.ts'
import { swarmSocket } from '../swarm/socket.ts'
import { addressOf, describe } from '../swarm/words.ts'

export interface JoinFlags extends SwarmWords {
  readonly json: boolean
}

export interface SwarmFlags {
  readonly json: boolean
}

export interface QueryFlags extends SwarmFlags {
  readonly watch: boolean
}

export interface InsertFlags extends SwarmFlags {
  readonly name?: string | undefined
}

/** How long after a chunk of a file the next is told at the soonest. */
const CHUNK_MS = 250

/** Joins a swarm, and replicates until Ctrl-C, SIGTERM or `swarm leave`. */
export async function joinCommand (context: Context, flags: JoinFlags): Promise<Exit> {
  const { stdout, stderr, signal } = context
  const setup = await swarmSetup(flags)
  const { self, peers } = setup
  const note = (text: string): void => { if (!flags.json) writeLines(stderr, text) }
  const told = new Map<string, number>()
  const member = await Member.join({
    ...setup, state: statePath(context.env),
    onEvent: event => {
      if (flags.json) {
        if ((event.event !== 'chunk' && event.event !== 'given') || isDue(told, `${event.event} ${event.name}`)) stdout.write(encodeLine(recordOf(event)))
        return
      }
      const words = describe(event)
      if (words !== '') note(words)
    },
    onTrouble: error => { note(`${escapeName(messageOf(error))} (${codeOf(error)})`) }
  })
  const at = `${self.host} ${self.port}`
  if (flags.json) stdout.write(encodeLine({ event: 'joined', peer: at, peers: peers.length, directory: resolve(flags.dir) }))
  else note(`Peer ${addressOf(self)} of ${peers.length}; files are in ${escapeName(flags.dir)}\nCtrl-C leaves`)

  const interrupted = new Promise<void>(resolve => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await Promise.race([interrupted, member.left])
  note('Leaving; what only this peer holds is given away first')
  await member.leave()
  note(`Left. The files stay in ${escapeName(flags.dir)}, also what is half there; "swarm join" goes on`)
  if (flags.json) stdout.write(encodeLine({ event: 'left', bytes_sent: member.bytesSent, peak_memory: peakMemory() }))
  return Exit.done
}

/** Whether somebody is to be told again that a file comes or goes: the first time, and at most four times a second. */
function isDue (told: Map<string, number>, name: string): boolean {
  const now = performance.now()
  if (now - (told.get(name) ?? -Infinity) < CHUNK_MS) return false
  told.set(name, now)
  return true
}

/** Puts files into the swarm, by way of the peer that runs. */
export async function insertCommand (context: Context, files: readonly string[], flags: InsertFlags): Promise<Exit> {
  if (flags.name !== undefined && files.length > 1) throw new RopewalkError('ERR_USAGE', '--name is the name of one file')
  let exit: Exit = Exit.done
  for (const [at, file] of files.entries()) {
    const name = flags.name ?? basename(resolve(file))
    try {
      for await (const _ of askPeer(context, { ask: 'insert', path: resolve(file), name })) continue
      if (flags.json) context.stdout.write(encodeLine({ event: 'inserted', name: escapeName(name) }))
      else context.stdout.write(`${escapeName(name)}\n`)
    } catch (error) {
      if (codeOf(error) === 'ERR_UNREACHABLE') throw error
      if (context.signal.aborted) {
        const left = files.length - at - 1
        writeLines(context.stderr, `Interrupted: the peer goes on with ${escapeName(name)}, and "swarm query" says how far it is${left === 0 ? '' : `; ${plural(left, 'file')} more ${left === 1 ? 'was' : 'were'} not begun`}.`)
        return Exit.interrupted
      }
      if (flags.json) context.stdout.write(encodeLine({ event: 'failed', name: escapeName(name), code: codeOf(error), message: messageOf(error) }))
      else writeLines(context.stderr, `${escapeName(file)}: ${escapeName(messageOf(error))} (${codeOf(error)})`)
      exit = Exit.failed
    }
  }
  return exit
}

/** Says how often each file is held. */
export async function queryCommand (context: Context, flags: QueryFlags): Promise<Exit> {
  const { stdout, env } = context
  const screen = flags.watch && stdout.isTTY === true && !flags.json ? new LiveScreen(stdout) : undefined
  const paint = painter(stdout, env)
  try {
    for await (const line of askPeer(context, { ask: 'query', watch: flags.watch })) {
      const [files, peers] = [line['files'] as FileStatus[], line['peers'] as number]
      if (flags.json) for (const file of files) stdout.write(encodeLine(statusRecord(file)))
      else if (stdout.isTTY !== true) for (const file of files) stdout.write(`${rowOf(file, peers).join('\t')}\n`)
      else if (screen === undefined) stdout.write(`${renderSwarm(files, { peers, columns: stdout.columns, paint }).join('\n')}\n`)
      else screen.draw(renderSwarm(files, { peers, columns: screen.columns, rows: screen.rows, paint }))
    }
  } catch (error) {
    // Whoever watches ends it so.
    if (flags.watch && context.signal.aborted) return Exit.interrupted
    throw error
  } finally {
    screen?.keep()
  }
  return Exit.done
}

/** Lets the peer that runs leave: it gives away what only it holds. */
export async function leaveCommand (context: Context, flags: SwarmFlags): Promise<Exit> {
  for await (const _ of askPeer(context, { ask: 'leave' })) continue
  if (flags.json) context.stdout.write(encodeLine({ event: 'left' }))
  else writeLines(context.stderr, 'Left.')
  return Exit.done
}

async function * askPeer (context: Context, request: Line): AsyncGenerator<Line, void, undefined> {
  const path = swarmSocket(statePath(context.env))
  const connection = await dial({ transport: 'unix', path }, { signal: context.signal }).catch((error: unknown) => {
    throw new RopewalkError('ERR_UNREACHABLE', 'no peer of yours is running', { cause: error, advice: ['"ropewalk swarm join --peers FILE --dir DIR" starts one, in another terminal.'] })
  })
  yield * ask(connection, request, context.signal)
}

function recordOf (event: SwarmEvent): Record<string, unknown> {
  const { reason, ...rest }: SwarmEvent & { readonly reason?: Error } = event
  const record = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, typeof value === 'object' ? `${value.host} ${value.port}` : value]))
  return reason === undefined ? record : { ...record, code: codeOf(reason), message: messageOf(reason) }
}

function statusRecord ({ name, local, system, leastReplication, weightedLeastReplication }: FileStatus): Record<string, unknown> {
  return { event: 'replication', name, local, system, least_replication: leastReplication, weighted_least_replication: weightedLeastReplication }
}
