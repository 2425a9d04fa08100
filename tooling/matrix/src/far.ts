/**
 * The far end of every case: does what the first byte of a channel says, and reports what it saw.
 *
 * @module
 */
import { ByteReader } from '@ropewalk/framing'
import type { Channel, Connection } from '@ropewalk/interface'
import type { MuxerEntry } from './muxers.ts'

/** What a channel is to be used for. */
export const Command = {
  /** Send back what comes. */
  echo: 0x65,
  /** Read to the end, then say how many bytes came, then end. */
  count: 0x63,
  /** Say one byte, then read no more. */
  sleep: 0x73,
  /** Break the channel off. */
  abort: 0x61,
  /** Say one byte, read on, and report how it ended. */
  watch: 0x77
} as const

/** How a watched channel ended. */
export type Report = 'end' | 'error'

const HERE = Uint8Array.of(1)

/** Plays until there are no more channels and each is done. */
export async function far (connection: Connection, muxer: MuxerEntry, report: (report: Report) => void): Promise<void> {
  const playing: Array<Promise<void>> = []
  try {
    for await (const channel of muxer.make(connection, 'acceptor')) playing.push(behave(channel, report).catch(() => {}))
  } catch {
    // The connection died: that is one of the cases.
  }
  await Promise.all(playing)
}

async function behave (channel: Channel, report: (report: Report) => void): Promise<void> {
  const reader = new ByteReader(channel.source)
  const [command] = await reader.read(1)
  switch (command) {
    case Command.echo: return await channel.sink(reader.rest())
    case Command.abort: return channel.abort(new Error('told to'))
    case Command.count: {
      let count = 0
      for await (const bytes of reader.rest()) count += bytes.byteLength
      return await channel.sink([new TextEncoder().encode(String(count))])
    }
    case Command.sleep: return await channel.sink(forever())
    default: {
      const said = channel.sink(forever())
      said.catch(() => {})
      try {
        for await (const bytes of reader.rest()) void bytes
        report('end')
      } catch {
        report('error')
      }
    }
  }
}

/** One byte, and then nothing, without an end. */
async function * forever (): AsyncGenerator<Uint8Array> {
  yield HERE
  await new Promise<never>(() => {})
}
