import type { Channel } from '@ropewalk/interface'
import { duplexPair, hexdump, scriptedPeer, type ScriptedPeer } from '@ropewalk/testing'

export const HEADER: Uint8Array = hexdump('13 2f6d756c746973747265616d2f312e302e30 0a')

/** The line `text`, written by hand: for lines below 127 bytes. */
export function line (text: string): Uint8Array {
  return Uint8Array.of(text.length + 1, ...bytes(text), 0x0a)
}

export function bytes (text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function join (...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap(part => [...part]))
}

/** Everything that a channel yields, as text. */
export async function textOf (channel: Channel): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const list of channel.source) text += decoder.decode(list.subarray(), { stream: true })
  return text
}

/** A channel, and somebody at its other end who says what the test wants said. */
export function scripted (chunkBytes?: number): { channel: Channel, peer: ScriptedPeer } {
  const [channel, other] = duplexPair(chunkBytes == null ? {} : { chunkBytes })
  return { channel, peer: scriptedPeer(other) }
}

export async function * never (): AsyncGenerator<Uint8Array> {
  yield await new Promise<Uint8Array>(() => {})
}
