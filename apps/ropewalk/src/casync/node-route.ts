/**
 * Sessions with a node over one of the channels that it serves: the words that casync would give to its helper go ahead, as a line of JSON.
 *
 *      ["pull","-","-","images/a.caibx","images/default.castr"]⏎    and then the protocol of casync
 *
 * @module
 */
import { ByteReader } from '@ropewalk/framing'
import type { AbortOptions, Channel, Connection, Source } from '@ropewalk/interface'
import { encrypted, isLocal, parseAddress, type NodeAddress } from '../address.ts'
import type { Context } from '../context.ts'
import { RopewalkError } from '../errors.ts'
import { channelOf } from '../muxed-route.ts'
import { reach } from '../session.ts'
import { statePath } from '../state-directory.ts'

/** By what a channel of a muxed connection is asked to speak it. Ours. */
export const CASYNC_PROTOCOL = '/ropewalk/casync/1'

/** Bytes of the line. Ours: names of 4096 bytes, in a dozen. */
const MAX_LINE_BYTES = 65_536

/** Words of the line. Ours: each but the first few is a store, and all of them are asked for a chunk that is in none. */
const MAX_WORDS = 32

/** How long a client may take to say what it wants. Ours. */
const LINE_MS = 10_000

/** Reads the address of a node that speaks more than one protocol, and refuses one over which others could read along. */
export function casyncAddress (text: string): NodeAddress {
  const address = parseAddress(text)
  if (address.transport === 'tcp' && !isLocal(address)) throw new RopewalkError('ERR_USAGE', 'without encryption everybody on the way can read and change the files', { text, advice: [`Use ${encrypted(text)}.`] })
  return address
}

/** A channel to the node at `address` on which the protocol of casync follows, about what `words` name. */
export async function openCasync (context: Context, address: string, words: readonly string[]): Promise<Connection> {
  const { env, signal } = context
  const connection = await reach(context, casyncAddress(address), statePath(env), { trust: false, json: false })
  return saying(words, await channelOf(connection, CASYNC_PROTOCOL, { signal }))
}

/** `channel`, on which `words` go ahead of what is sent. */
export function saying (words: readonly string[], channel: Connection): Connection {
  return { ...channel, sink: async (source, options) => { await channel.sink(behind(words, source), options) } }
}

/** What a client wants, and the channel from behind that on. `ERR_USAGE` for what are no words. */
export async function acceptCasync (channel: Channel, { signal }: AbortOptions): Promise<{ readonly words: string[], readonly channel: Channel }> {
  const reader = new ByteReader(channel.source)
  const deadline = AbortSignal.timeout(LINE_MS)
  const line = await reader.readUntil(LINE_FEED, MAX_LINE_BYTES, { signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]) })
  return {
    words: parseWords(new TextDecoder().decode(line)),
    channel: {
      source: reader.rest(),
      sink: (source, options) => channel.sink(source, options),
      abort: reason => { channel.abort(reason) },
      [Symbol.asyncDispose]: async () => { await channel[Symbol.asyncDispose]() }
    }
  }
}

const LINE_FEED = 10

async function * behind<T> (words: readonly string[], source: Source<T>): AsyncGenerator<T | Uint8Array, void, undefined> {
  yield new TextEncoder().encode(`${JSON.stringify(words)}\n`)
  yield * source
}

function parseWords (line: string): string[] {
  let words: unknown
  try {
    words = JSON.parse(line)
  } catch (error) {
    throw new RopewalkError('ERR_USAGE', 'a line of JSON goes before the protocol', { cause: error })
  }
  if (!Array.isArray(words) || !words.every(word => typeof word === 'string')) throw new RopewalkError('ERR_USAGE', 'a list of words goes before the protocol')
  if (words.length > MAX_WORDS) throw new RopewalkError('ERR_USAGE', `${words.length} > ${MAX_WORDS} words`)
  return words as string[]
}
