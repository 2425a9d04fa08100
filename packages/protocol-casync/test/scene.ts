import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Channel } from '@ropewalk/interface'
import { castr, nodeCompression, type CastrStore } from '@ropewalk/store-castr'
import { duplexPair } from '@ropewalk/testing'
import { HELLO_FLAGS } from '../src/constants.ts'
import { MessageDecoder, requestedIds, type Message } from '../src/message-codec.ts'

export const compression = nodeCompression()

const FIXTURES = new URL('../../../fixtures/casync/', import.meta.url)

/** What the command line of a recorded server names, as far as it was kept. */
export function recordedServer (command: string | null): { index?: Uint8Array[], store?: CastrStore } {
  const [, index = '-', store = '-'] = /(?:pull|push) (?:--\S+ )*- \S+ (\S+) '?([^\s']+)/.exec(command ?? '') ?? []
  const path = (name: string): string => fileURLToPath(new URL(name, FIXTURES))
  return {
    ...(index !== '-' && existsSync(path(index)) ? { index: [Uint8Array.from(readFileSync(path(index)))] } : {}),
    ...(store !== '-' ? { store: castr(path(store)) } : {})
  }
}

/** Everything that a peer sends, as messages, to the end of its stream. */
export async function heard (channel: Channel): Promise<Message[]> {
  const decoder = new MessageDecoder()
  const messages: Message[] = []
  for await (const list of channel.source) for (const piece of list) for (const message of decoder.push(Uint8Array.from(piece))) messages.push(message)
  decoder.end()
  return messages
}

/** Runs `serve` against a peer that says `bytes` and then ends. What it answered, and how it went. */
export async function replay<T> (bytes: Uint8Array, serve: (channel: Channel) => Promise<T>, chunkBytes = 65_536): Promise<{ answers: Message[], result?: T, error?: Error }> {
  const [left, right] = duplexPair({ chunkBytes, capacityBytes: 64 * 1024 * 1024 })
  const hearing = heard(left)
  const saying = left.sink([bytes])
  saying.catch(() => {})
  hearing.catch(() => {})
  try {
    const result = await serve(right)
    return { answers: await hearing, result }
  } catch (error) {
    return { answers: await hearing, error: error as Error }
  }
}

/** What a session says, with what it was answered so far: whether the next message may go out. */
export type Gate = (next: Message, said: readonly Message[], heard: readonly Message[]) => boolean

/** A recorded side says a chunk when it is asked for, and goodbye when it owes nothing: it did so when it was recorded. */
export const politely: Gate = (next, said, heard) => {
  if (next.type === 'CHUNK' || next.type === 'MISSING') return requests(heard).has(next.id)
  if (next.type !== 'GOODBYE') return true
  const [hello] = said
  const flags = hello?.type === 'HELLO' ? Number(hello.flags) : 0
  if ((flags & HELLO_FLAGS.WRITABLE_INDEX) !== 0 && !heard.some(({ type }) => type === 'INDEX_EOF')) return false
  return (flags & HELLO_FLAGS.WRITABLE_STORE) === 0 || heard.filter(({ type }) => type === 'CHUNK' || type === 'MISSING').length >= requests(said).size
}

export const atOnce: Gate = () => true

/**
 * Runs `side` against a peer that says what was recorded, each message when `gate` lets it, and then ends. Bytes that are no message
 * go out last.
 */
export async function play<T> (bytes: Uint8Array, side: (channel: Channel) => Promise<T>, gate: Gate = politely): Promise<{ answers: Message[], result?: T, error?: Error }> {
  const [left, right] = duplexPair({ capacityBytes: 64 * 1024 * 1024 })
  const answers: Message[] = []
  let wake: (() => void) | undefined
  let gone = false
  const hearing = (async () => {
    const decoder = new MessageDecoder()
    for await (const list of left.source) {
      for (const piece of list) for (const message of decoder.push(Uint8Array.from(piece))) answers.push(message)
      wake?.()
    }
  })().catch(() => {}).finally(() => {
    gone = true
    wake?.()
  })
  async function * saying (): AsyncGenerator<Uint8Array> {
    const decoder = new MessageDecoder()
    const said: Message[] = []
    const cuts: Array<{ message: Message, end: number }> = []
    try {
      for (let at = 0; at < bytes.length; at++) for (const message of decoder.push(bytes.subarray(at, at + 1))) cuts.push({ message, end: at + 1 })
    } catch {}
    let start = 0
    for (const { message, end } of cuts) {
      while (!gate(message, said, answers) && !gone) await new Promise<void>(resolve => { wake = resolve })
      said.push(message)
      yield bytes.subarray(start, end)
      start = end
    }
    if (start < bytes.length) yield bytes.subarray(start)
  }
  left.sink(saying()).catch(() => {})
  try {
    const result = await side(right)
    await hearing
    return { answers, result }
  } catch (error) {
    await hearing
    return { answers, error: error as Error }
  }
}

function requests (messages: readonly Message[]): Set<string> {
  const ids = new Set<string>()
  for (const message of messages) if (message.type === 'REQUEST') for (const id of requestedIds(message.ids)) ids.add(id)
  return ids
}
