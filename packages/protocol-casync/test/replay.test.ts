import { readFileSync } from 'node:fs'
import type { Channel } from '@ropewalk/interface'
import t from 'tap'
import { assemble } from '../src/assemble.ts'
import { openIndex } from '../src/index-file.ts'
import { MemoryStore } from '../src/memory-store.ts'
import { encodeMessage, requestedIds, type Message } from '../src/message-codec.ts'
import { pull } from '../src/pull.ts'
import { push } from '../src/push.ts'
import { servePull } from '../src/serve-pull.ts'
import { servePush } from '../src/serve-push.ts'
import { MemoryBlob } from './blobs.ts'
import { input, nodeHash } from './inputs.ts'
import { atOnce, compression, play, politely, recordedServer, replay, type Gate } from './scene.ts'
import { decodeAll, session, SESSIONS, type RecordedSession } from './sessions.ts'

const FIXTURES = new URL('../../../fixtures/casync/', import.meta.url)
const MINI_INDEX = [Uint8Array.from(readFileSync(new URL('inputs/mini.caibx', FIXTURES)))]
const MINI = Uint8Array.from(input("ctr('mini',110000)+zeros(300000)+text(100000)"))
const MIX = Uint8Array.from(input("ctr('casync-a',700000)+zeros(600000)+text(400000)+ctr('casync-a',300000)"))

function bytesOf (messages: readonly Message[]): string {
  return messages.map(message => Buffer.concat(encodeMessage(message)).toString('latin1')).join('')
}

function sorted (messages: readonly Message[]): string {
  return messages.map(message => bytesOf([message])).sort().join('')
}

function code (error: Error | undefined): string {
  return error === undefined ? 'ok' : String((error as { code?: unknown }).code)
}

function without (messages: readonly Message[], type: Message['type']): Message[] {
  return messages.filter(message => message.type !== type)
}

/** What a real client said, to our pull server. The codes are the sessions that end in an error. */
const PULL_SERVER: Readonly<Record<string, string>> = {
  'probe-pull-casync-abort-0': 'ERR_ABORTED',
  'probe-pull-casync-abort-before-hello': 'ERR_ABORTED',
  'probe-pull-casync-abort-bigerr': 'ERR_FLAGS',
  'probe-pull-casync-abort-ctrl': 'ERR_FLAGS',
  'probe-pull-casync-abort-utf8': 'ERR_ABORTED',
  'probe-pull-casync-chunk-to-pull': 'ERR_UNEXPECTED_MESSAGE',
  // The original ends quietly in the middle of a frame.
  'probe-pull-casync-eof-in-frame': 'ERR_TRUNCATED',
  'probe-pull-casync-goodbye-body': 'ERR_FRAME_SIZE',
  'probe-pull-casync-hello-long': 'ERR_FRAME_SIZE',
  'probe-pull-casync-hello-no-operation': 'ERR_MISMATCH',
  'probe-pull-casync-hello-pull-index': 'ERR_MISMATCH',
  'probe-pull-casync-hello-short': 'ERR_FRAME_SIZE',
  'probe-pull-casync-hello-twice': 'ERR_UNEXPECTED_MESSAGE',
  'probe-pull-casync-hello-unknown-bit': 'ERR_FLAGS',
  'probe-pull-casync-hello-zero': 'ERR_FLAGS',
  'probe-pull-casync-missing-to-pull': 'ERR_UNEXPECTED_MESSAGE',
  'probe-pull-casync-request-before-hello': 'ERR_UNEXPECTED_MESSAGE',
  'probe-pull-casync-request-empty': 'ERR_FRAME_SIZE',
  'probe-pull-casync-request-partial-id': 'ERR_FRAME_SIZE',
  'probe-pull-casync-size-0': 'ERR_FRAME_SIZE',
  'probe-pull-casync-size-15': 'ERR_FRAME_SIZE',
  // A hello of 16 MiB: the original waits for the rest of it.
  'probe-pull-casync-size-16m': 'ERR_FRAME_SIZE',
  'probe-pull-casync-size-huge': 'ERR_FRAME_SIZE',
  'probe-pull-casync-unknown-type': 'ERR_UNKNOWN_TYPE'
}

/** Of stores and indexes that were not kept, or never there. */
const STORE_NOT_KEPT = /missing$|pull-no-index|fat-chunk|symlink-chunk|corrupt-chunk|plain-store|pull-archive/
/** desync asks again and wants another answer; casync never answers a second time. */
const ANSWERED_AGAIN = /request-repeat-(after-answer|high)$/

for (const { name, c2s, s2c, server } of SESSIONS.filter(({ name }) => /^(pull-|probe-pull-casync|desync-client-casync-server)/.test(name) && !STORE_NOT_KEPT.test(name))) {
  t.test(`pull server: ${name}`, async t => {
    const { answers, error } = await replay(c2s, channel => servePull(channel, { ...recordedServer(server), compression }))
    t.equal(code(error), PULL_SERVER[name] ?? 'ok', error?.message ?? '')
    const { messages } = decodeAll(s2c)
    const said = without(answers, 'ABORT')
    if (ANSWERED_AGAIN.test(name)) return t.equal(bytesOf(said), bytesOf([...messages, messages.at(-1) as Message]))
    // What was on its way already goes first in the original.
    const same = name === 'probe-pull-casync-request-order' || name === 'pull-list' ? sorted : bytesOf
    t.ok(same(said) === same(messages), 'every byte as recorded')
    const [hello] = decodeAll(c2s).messages
    t.equal(answers.length - said.length, error === undefined || code(error) === 'ERR_ABORTED' || hello === undefined && name === 'pull-two-stores' ? 0 : 1, 'whoever breaks the protocol is told')
  })
}

const PUSH_SERVER: Readonly<Record<string, string>> = {
  'probe-push-abort-midway': 'ERR_ABORTED',
  'probe-push-archive-no-eof': 'ERR_INTERRUPTED',
  'probe-push-chunk-bomb-120m': 'ERR_CHUNK_SIZE',
  'probe-push-chunk-bomb-400m': 'ERR_CHUNK_SIZE',
  'probe-push-chunk-empty': 'ERR_FRAME_SIZE',
  'probe-push-chunk-flag2': 'ERR_FLAGS',
  'probe-push-chunk-truncated-xz': 'ERR_CHUNK_DAMAGED',
  'probe-push-chunk-truncated-zstd': 'ERR_CHUNK_DAMAGED',
  'probe-push-chunk-twice': 'ERR_UNREQUESTED',
  'probe-push-chunk-zstd-3-bytes': 'ERR_CHUNK_DAMAGED',
  'probe-push-chunk-zstd-two-frames': 'ERR_CHUNK_DAMAGED',
  'probe-push-eof-midway': 'ERR_INTERRUPTED',
  'probe-push-flag-compressed-but-raw': 'ERR_CHUNK_DAMAGED',
  'probe-push-flag-raw-but-zstd': 'ERR_CHUNK_SIZE',
  'probe-push-goodbye-before-index': 'ERR_INTERRUPTED',
  'probe-push-hello-no-pushchunks': 'ERR_FLAGS',
  'probe-push-hello-pull': 'ERR_MISMATCH',
  'probe-push-index-after-eof': 'ERR_UNEXPECTED_MESSAGE',
  'probe-push-index-bad-magic': 'ERR_INDEX',
  'probe-push-index-chunk-over-max': 'ERR_INDEX',
  'probe-push-index-eof-only': 'ERR_TRUNCATED',
  'probe-push-index-eof-twice': 'ERR_UNEXPECTED_MESSAGE',
  'probe-push-index-max-128m-plus': 'ERR_INDEX',
  'probe-push-index-min-gt-avg': 'ERR_INDEX',
  'probe-push-index-no-tail': 'ERR_TRUNCATED',
  'probe-push-index-offset-equal': 'ERR_INDEX',
  'probe-push-index-tail-garbage': 'ERR_INDEX',
  'probe-push-index-zero-payload': 'ERR_FRAME_SIZE',
  'probe-push-missing-reply': 'ERR_CHUNK_MISSING',
  'probe-push-request-to-push': 'ERR_UNEXPECTED_MESSAGE',
  'probe-push-unrequested-after-request': 'ERR_UNREQUESTED',
  'probe-push-unrequested-first': 'ERR_UNREQUESTED',
  'push-two-hosts/session-1': 'ERR_INTERRUPTED',
  'push-unwritable-index': 'ERR_INTERRUPTED'
}

/** The original breaks off because its folder is read-only, or says nothing at all without a store. */
const SAYS_LESS = /push-readonly-dir|index-only-nostore|push-unwritable-index/
/** Said before it is asked for, against the rules. */
const UNASKED = /unrequested|twice/

for (const { name, c2s, s2c } of SESSIONS.filter(({ name }) => /^(push-|probe-push-)/.test(name))) {
  t.test(`push server: ${name}`, async t => {
    const { messages } = decodeAll(s2c)
    const [hello] = messages
    const flags = hello?.type === 'HELLO' ? Number(hello.flags) : 0xa
    const log: string[] = []
    const file = { write: async () => {}, commit: async () => { log.push('commit') }, discard: async () => { log.push('discard') } }
    const store = await storeBefore(messages)
    const { answers, error } = await play(c2s, channel => servePush(channel, {
      ...((flags & 8) !== 0 ? { index: file } : {}),
      ...((flags & 0x20) !== 0 ? { archive: file } : {}),
      ...((flags & 2) !== 0 ? { store } : {}),
      hash: nodeHash,
      compression
    }), UNASKED.test(name) ? atOnce : politely)
    t.equal(code(error), PUSH_SERVER[name] ?? 'ok', error?.message ?? '')
    if (error === undefined && !SAYS_LESS.test(name)) t.ok(bytesOf(answers) === bytesOf(messages), 'every byte as recorded')
    // One that goes on behind its end may be told too late.
    if (name !== 'probe-push-index-after-eof') t.same(log, (flags & 0x28) === 0 ? [] : [error === undefined ? 'commit' : 'discard'])
  })
}

/** What the store had before, seen from what was not asked for. */
async function storeBefore (messages: readonly Message[]): Promise<MemoryStore> {
  const asked = new Set(messages.flatMap(message => message.type === 'REQUEST' ? [...requestedIds(message.ids)] : []))
  const store = new MemoryStore(nodeHash)
  const { store: kept } = recordedServer('pull - - - inputs/srv.castr')
  if (kept === undefined || messages.every(({ type }) => type !== 'GOODBYE')) return store
  for await (const id of kept.list()) {
    const chunk = asked.has(id) ? undefined : await kept.get(id)
    if (chunk !== undefined) await store.put(chunk)
  }
  return store
}

const PULL_CLIENT: Readonly<Record<string, string>> = {
  'casync-client-desync-server-index': 'ERR_MISMATCH',
  'client-casync-abort-first': 'ERR_ABORTED',
  'client-casync-abort-midway': 'ERR_ABORTED',
  'client-casync-abort-plain': 'ERR_ABORTED',
  'client-casync-bomb': 'ERR_CHUNK_SIZE',
  'client-casync-chunk-unasked': 'ERR_UNREQUESTED',
  'client-casync-close-midway': 'ERR_INTERRUPTED',
  'client-casync-compressed-flag0': 'ERR_CHUNK_SIZE',
  'client-casync-goodbye-midway': 'ERR_INTERRUPTED',
  'client-casync-hello-again': 'ERR_UNEXPECTED_MESSAGE',
  'client-casync-hello-unknown': 'ERR_FLAGS',
  'client-casync-hello-wants': 'ERR_MISMATCH',
  'client-casync-index-eof-only': 'ERR_TRUNCATED',
  // The original saw that the index is not its own, or misread it, and went.
  'client-casync-index-size-lie': 'ERR_INTERRUPTED',
  'client-casync-index-split-50': 'ERR_INTERRUPTED',
  'client-casync-missing': 'ERR_CHUNK_MISSING',
  'client-casync-missing-then-chunk': 'ERR_CHUNK_MISSING',
  'client-casync-missing-wrong-id': 'ERR_UNREQUESTED',
  'client-casync-oversize': 'ERR_FRAME_SIZE',
  'client-casync-raw-flag1': 'ERR_CHUNK_DAMAGED',
  'client-casync-request-back': 'ERR_UNEXPECTED_MESSAGE',
  'client-casync-unknown-type': 'ERR_UNKNOWN_TYPE',
  'client-casync-unrequested': 'ERR_UNREQUESTED',
  'client-casync-wrong-content': 'ERR_CHUNK_DAMAGED',
  'client-casync-wrong-then-right': 'ERR_CHUNK_SIZE',
  'client-desync-abort-after-hello': 'ERR_ABORTED',
  'client-desync-abort-midway': 'ERR_ABORTED',
  'client-desync-bomb': 'ERR_CHUNK_SIZE',
  'client-desync-chunk-flag2': 'ERR_FLAGS',
  'client-desync-close-midway': 'ERR_INTERRUPTED',
  'client-desync-empty-chunk': 'ERR_FRAME_SIZE',
  'client-desync-goodbye-midway': 'ERR_INTERRUPTED',
  'client-desync-hello-none': 'ERR_MISMATCH',
  'client-desync-missing': 'ERR_CHUNK_MISSING',
  'client-desync-missing-wrong-id': 'ERR_UNREQUESTED',
  'client-desync-oversize': 'ERR_FRAME_SIZE',
  'client-desync-truncated': 'ERR_CHUNK_DAMAGED',
  'client-desync-unknown-type': 'ERR_UNKNOWN_TYPE',
  'client-desync-unrequested': 'ERR_UNREQUESTED',
  'client-desync-wrong-id': 'ERR_UNREQUESTED',
  'desync-client-casync-server-missing': 'ERR_CHUNK_MISSING',
  // The page that the server found instead, sent as an index before the ABORT.
  'http-abort-404': 'ERR_INDEX',
  'http-abort-500': 'ERR_INDEX',
  'http-missing-chunk': 'ERR_CHUNK_MISSING',
  'pull-corrupt-chunk': 'ERR_INTERRUPTED',
  'pull-no-index': 'ERR_INTERRUPTED',
  'pull-no-store': 'ERR_CHUNK_MISSING',
  'pull-two-stores': 'ERR_INTERRUPTED'
}

/** We ask for each chunk once, and for all of them in one session, so that what was recorded is no answer to us; or the second answer comes when we may be gone. */
const NO_ANSWER_TO_US = /^casync-client-desync-server-(hang|missing|tree)|-n4\/|^client-desync-(uncompressed|xz)$|^desync-client-casync-server-xz$|-duplicates$/
const UNASKED_PULL = /unrequested|unasked|wrong-id/

/** From the second answer on whatever was recorded comes, asked for or not. */
const impudently: Gate = (next, said, heard) => said.some(({ type }) => type === 'CHUNK') || (next.type === 'CHUNK' && !politely(next, said, heard) ? heard.some(({ type }) => type === 'REQUEST') : true)

for (const { name, c2s, s2c } of SESSIONS.filter(({ name, c2s }) => !/^probe/.test(name) && (flagsOf(c2s) & 0x1c0) !== 0 && !NO_ANSWER_TO_US.test(name))) {
  t.test(`pull client: ${name}`, async t => {
    const flags = flagsOf(c2s)
    const kinds = { index: (flags & 0x80) !== 0, chunks: (flags & 0x40) !== 0, archive: (flags & 0x100) !== 0 }
    const blob = new MemoryBlob()
    const client = async (channel: Channel): Promise<void> => {
      await using session = await pull(channel, { ...kinds, hash: nodeHash, compression })
      let size = 0
      for await (const bytes of session.archive) size += bytes.length
      if (kinds.archive) return t.equal(size, 650_906) as unknown as void
      const { items } = await openIndex(kinds.index ? session.index : MINI_INDEX)
      if (kinds.chunks) await assemble(items, session, blob, nodeHash)
      else for await (const { end } of items) size = end
    }
    const { answers, error } = await play(s2c, client, UNASKED_PULL.test(name) ? impudently : politely)
    t.equal(code(error), PULL_CLIENT[name] ?? 'ok', error?.message ?? '')
    t.ok(bytesOf(answers.slice(0, 1)) === bytesOf(decodeAll(c2s).messages.slice(0, 1)), 'hello as recorded')
    const asked = answers.flatMap(message => message.type === 'REQUEST' ? [...requestedIds(message.ids)] : [])
    t.equal(new Set(asked).size, asked.length, 'each chunk is asked for once')
    if (error !== undefined) return
    t.equal(answers.at(-1)?.type, 'GOODBYE')
    if (kinds.archive || !kinds.chunks || /tree|list/.test(name)) return
    if (name === 'pull-one-byte') t.same(blob.bytes, Uint8Array.of(0x78))
    else t.ok(Buffer.from(blob.bytes).equals(name === 'pull-blob' ? MIX : MINI))
  })
}

const PUSH_CLIENT: Readonly<Record<string, string>> = {
  'client-casync-push-abort-after-hello': 'ERR_ABORTED',
  'client-casync-push-abort-after-index': 'ERR_ABORTED',
  'client-casync-push-abort-first': 'ERR_ABORTED',
  'client-casync-push-goodbye-at-once': 'ERR_INTERRUPTED',
  'client-casync-push-index-back': 'ERR_UNEXPECTED_MESSAGE',
  'push-readonly-dir': 'ERR_INTERRUPTED',
  'push-two-hosts/session-1': 'ERR_INTERRUPTED',
  'push-unwritable-index': 'ERR_INTERRUPTED'
}

for (const { name, c2s, s2c } of SESSIONS.filter(({ name, c2s }) => !/^probe/.test(name) && (flagsOf(c2s) & 0x600) !== 0)) {
  t.test(`push client: ${name}`, async t => {
    const { messages } = decodeAll(c2s)
    const index = messages.flatMap(message => message.type === 'INDEX' ? [message.data] : [])
    const flags = flagsOf(c2s)
    const { store } = recordedServer(`pull - - - inputs/${name === 'push-xz' ? 'xz' : 'srv'}.castr`)
    const { answers, error } = await play(s2c, channel => push(channel, {
      ...((flags & 0x400) !== 0 ? { index } : {}), ...((flags & 0x200) !== 0 ? { store } : {}), compression
    }), name === 'client-casync-push-goodbye-at-once' ? atOnce : patiently)
    t.equal(code(error), PUSH_CLIENT[name] ?? 'ok', error?.message ?? '')
    if (error !== undefined) return
    // A request that comes before the index is sent may be answered after it.
    const same = name === 'client-casync-push-request-early' ? sorted : bytesOf
    t.ok(same(answers) === same(messages), 'every byte as recorded')
  })
}

/** A server that counts what it is given: of what it asks for twice it gets one. */
function patiently (next: Message, said: readonly Message[], heard: readonly Message[]): boolean {
  if (next.type === 'REQUEST' && said.some(({ type }) => type === 'REQUEST')) return heard.some(({ type }) => type === 'CHUNK' || type === 'MISSING')
  return politely(next, said, heard)
}

function flagsOf (bytes: Uint8Array): number {
  const [hello] = decodeAll(bytes).messages
  return hello?.type === 'HELLO' ? Number(hello.flags) : 0
}

t.test('every recorded session of casync with itself is played in both roles', async t => {
  const both = (one: RecordedSession): boolean => /^(pull|push)-/.test(one.name)
  t.ok(SESSIONS.filter(both).length > 25)
  t.ok(session('pull-blob').s2c.length > 700_000)
})
