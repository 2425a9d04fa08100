import type { Stream } from '@libp2p/interface'
import * as libp2p from '@libp2p/multistream-select'
import { streamPair } from '@libp2p/utils'
import type { Channel } from '@ropewalk/interface'
import t from 'tap'
import { Uint8ArrayList } from 'uint8arraylist'
import { handle, select } from '../src/index.ts'
import { bytes, textOf } from './channels.ts'

/** A stream of libp2p as a channel: as much of it as these tests need. */
function channelOf (stream: Stream): Channel {
  return {
    source: (async function * () {
      for await (const chunk of stream) yield chunk instanceof Uint8Array ? new Uint8ArrayList(chunk) : chunk
    })(),
    async sink (source) {
      for await (const chunk of source) if (!stream.send(chunk)) await stream.onDrain()
      await stream.close()
    },
    abort: reason => stream.abort(reason),
    async [Symbol.asyncDispose] () { await stream.close() }
  }
}

/** Sends `text`, ends, and gives back what the peer sends. */
async function exchange (stream: Stream, text: string): Promise<string> {
  stream.send(bytes(text))
  await stream.close()
  return await textOf(channelOf(stream))
}

const SUPPORTED = ['/ropewalk/casync/1', '/ropewalk/warpdrive/1']

for (const [proposals, expected] of [
  [['/ropewalk/warpdrive/1'], '/ropewalk/warpdrive/1'],
  [['/none/1', '/ropewalk/casync/1'], '/ropewalk/casync/1'],
  [['/none/1', '/none/2', '/none/3', '/ropewalk/casync/1', '/ropewalk/warpdrive/1'], '/ropewalk/casync/1']
] as const) {
  t.test(`libp2p dials: ${proposals.join(', ')}`, async t => {
    const [outbound, inbound] = await streamPair()
    const [protocol, handled] = await Promise.all([libp2p.select(outbound, [...proposals]), handle(channelOf(inbound), SUPPORTED)])
    t.same([protocol, handled.protocol], [expected, expected])
    const [answer, question] = await Promise.all([exchange(outbound, 'question'), textOf(handled.channel), handled.channel.sink([bytes('answer')])])
    t.same([question, answer], ['question', 'answer'])
  })

  for (const lazy of proposals.length === 1 ? [false, true] : [false]) {
    t.test(`libp2p listens: ${proposals.join(', ')}${lazy ? ', without waiting' : ''}`, async t => {
      const [outbound, inbound] = await streamPair()
      const [selected, protocol] = await Promise.all([select(channelOf(outbound), proposals, { lazy }), libp2p.handle(inbound, SUPPORTED)])
      t.same([selected.protocol, protocol], [expected, expected])
      const [question, answer] = await Promise.all([exchange(inbound, 'answer'), textOf(selected.channel), selected.channel.sink([bytes('question')])])
      t.same([question, answer], ['question', 'answer'])
    })
  }
}

t.test('a libp2p that speaks none of ours is told so, and so are we', async t => {
  const [outbound, inbound] = await streamPair()
  const handling = handle(channelOf(inbound), SUPPORTED).catch(error => error)
  await t.rejects(libp2p.select(outbound, ['/none/1']), { name: 'UnsupportedProtocolError' })
  outbound.abort(new Error('nothing in common'))
  t.ok(await handling instanceof Error)

  const [mine, theirs] = await streamPair()
  const failing = libp2p.handle(theirs, SUPPORTED).catch(error => error)
  await t.rejects(select(channelOf(mine), ['/none/1', '/none/2']), { code: 'ERR_UNSUPPORTED' })
  t.ok(await failing instanceof Error)
})
