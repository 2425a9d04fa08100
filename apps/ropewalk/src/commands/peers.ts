import type { Context } from '../context.ts'
import { RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { plural } from '../format.ts'
import type { Line } from '../peers/control.ts'
import { aliasOf, peerResult } from '../peers/show.ts'
import { withNode, type AskNode } from '../peers/with-node.ts'
import { writeLines } from '../progress/lines.ts'
import { Report, type Result } from '../progress/report.ts'

export interface PeersFlags { readonly discover: boolean, readonly json: boolean }
export interface PeerFlags { readonly json: boolean }

/** Lists the peers, and who is on the local network. */
export async function peers (context: Context, { discover, json }: PeersFlags): Promise<Exit> {
  return await withNode(context, { alone: 'quiet', discover }, async ask => {
    const count = await tellAll(context, json, ask({ do: 'peers' }), line => peerResult(line))
    if (count === 0 && !json) writeLines(context.stderr, 'No peers. "ropewalk pair" makes one of another machine.')
    return Exit.done
  })
}

/** Says how a peer is treated. */
export async function setMode (context: Context, peer: string, mode: 'trust' | 'block' | 'ask', { json }: PeerFlags): Promise<Exit> {
  return await set(context, peer, 'mod', mode === 'ask' ? '' : mode, json)
}

export async function rename (context: Context, peer: string, name: string, { json }: PeerFlags): Promise<Exit> {
  if (name === '' || Buffer.byteLength(name) > MAX_ALIAS_BYTES) throw new RopewalkError('ERR_USAGE', `a name has 1 to ${MAX_ALIAS_BYTES} bytes`, { text: name })
  return await set(context, peer, 'alias', name, json)
}

/** Makes a stranger of a peer. */
export async function forget (context: Context, peer: string, { discover, json }: PeersFlags): Promise<Exit> {
  return await withNode(context, { alone: 'quiet', discover }, async ask => {
    await tellAll(context, json, ask({ do: 'forget', peer }), line => {
      const { row, record } = peerResult(line, 'forgotten')
      const offers = Number(line['offers'])
      return { record, row, lines: [`${aliasOf(line as { peer: string })} is no peer any more${offers === 0 ? '' : `; ${plural(offers, 'offer')} went with it`}`, `  sha256=${String(line['peer'])}`] }
    })
    return Exit.done
  })
}

/** Sees whether a peer answers, and how fast. */
export async function ping (context: Context, peer: string, { discover, json }: PeersFlags): Promise<Exit> {
  return await withNode(context, { alone: 'quiet', discover }, async ask => {
    await tellAll(context, json, ask({ do: 'ping', peer }), line => {
      const ms = Number(line['ms']).toFixed(1)
      return { record: { event: 'pong', ...line, ms: Number(ms) }, row: [String(line['peer']), aliasOf(line as { peer: string }), ms], lines: [`${aliasOf(line as { peer: string })} answers in ${ms} ms`] }
    })
    return Exit.done
  })
}

/** Puts a code out, or uses one. */
export async function pair (context: Context, code: string | undefined, address: string | undefined, { discover, json }: PeersFlags): Promise<Exit> {
  return await withNode(context, { alone: code === undefined ? 'listening' : 'quiet', discover }, async ask => {
    await pairing(context, json, ask, code, address)
    return Exit.done
  })
}

/** Puts a code out at the node of this process. */
export async function pairHere (context: Context, json: boolean): Promise<void> {
  await withNode(context, { alone: 'refuse' }, async ask => { await pairing(context, json, ask) })
}

/** Tells what becomes of a pairing. */
async function pairing (context: Context, json: boolean, ask: AskNode, code?: string, address?: string): Promise<void> {
  await tellAll(context, json, ask(code === undefined ? { do: 'pair' } : { do: 'pair-with', code, address }), line => {
    if (line['paired'] === undefined) return codeResult(line)
    const result = peerResult(line['paired'] as Line, 'paired')
    return { ...result, lines: [`Paired with ${aliasOf(line['paired'] as { peer: string })}`, ...result.lines.slice(1)] }
  })
}

function codeResult (line: Line): Result {
  const code = String(line['code'])
  const addresses = line['addresses'] as readonly string[]
  const [address = `HOST:${String(line['port'])}`] = addresses
  return {
    record: { event: 'code', ...line },
    row: [code, address],
    lines: ['On the other machine, within 2 minutes:', '', `  ropewalk pair ${code} ${address}`, '', 'The code is good for one try. On a local network the address can be left out.']
  }
}

async function set (context: Context, peer: string, attribute: string, value: string, json: boolean): Promise<Exit> {
  return await withNode(context, { alone: 'quiet' }, async ask => {
    await tellAll(context, json, ask({ do: 'set', peer, attribute, value }), line => peerResult(line))
    return Exit.done
  })
}

async function tellAll (context: Context, json: boolean, lines: AsyncIterable<Line>, show: (line: Line) => Result): Promise<number> {
  const report = new Report({ ...context, json })
  let count = 0
  for await (const line of lines) {
    report.result(show(line))
    count++
  }
  return count
}

/** Most bytes of a name. Ours. */
const MAX_ALIAS_BYTES = 64
