/** Small entries, many with one command. */
import type { Channel } from '@ropewalk/interface'
import { duplexPair, scriptedPeer, turn } from '@ropewalk/testing'
import fc from 'fast-check'
import t, { type Test as Tap } from 'tap'
import { decodeCommand, encodeCommand, GO_838779E } from '../src/codec.ts'
import { askMany } from '../src/client.ts'
import { MANY_BYTES, MANY_ENTRIES, MAX_UNCONFIRMED, READ_BYTES, SENT_BYTES, SMALL_FILE_BYTES } from '../src/constants.ts'
import { Session, type InboxWholeFile, type NodeOptions } from '../src/index.ts'
import { Pieces, ReadRing } from '../src/sending.ts'
import { ALICE, BOB, MemoryFiles, MemoryInbox, pair, type Pair } from './nodes.ts'

const pattern = (length: number, seed = 0): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + seed) % 251)

/** Takes small files together, and refuses those of one name. */
class LotInbox extends MemoryInbox {
  readonly lots: string[][] = []
  readonly refused = new Set<string>()

  async wholeFiles (files: readonly InboxWholeFile[]): Promise<Array<PromiseSettledResult<unknown>>> {
    this.lots.push(files.map(({ name }) => name))
    await turn()
    return files.map(({ name, bytes, mode, mtimeMs }) => {
      if (this.refused.has(name)) return { status: 'rejected', reason: Object.assign(new Error('no'), { code: 'ERR_EXISTS' }) }
      if (this.files.has(name)) throw new Error(`${name} comes twice`)
      this.files.set(name, { bytes: bytes.slice(), mode, mtimeMs })
      return { status: 'fulfilled', value: undefined }
    })
  }
}

/** Reads small files at once. */
class WholeFiles extends MemoryFiles {
  whole (source: string, into: Uint8Array): number {
    const bytes = (this.files.get(source) ?? new Uint8Array(0)).subarray(0, into.length)
    into.set(bytes)
    this.reads.push([source, 0])
    return bytes.length
  }
}

const LOAD: Record<string, Uint8Array> = { 'd/': new Uint8Array(0), 'd/empty': new Uint8Array(0), 'd/big': pattern(SMALL_FILE_BYTES + 1), 'd/edge': pattern(SMALL_FILE_BYTES, 3) }
for (let at = 0; at < 1500; at++) LOAD[`d/f${at}`] = pattern(at % 2000, at)

async function scene (load: Record<string, Uint8Array>, { whole = true, alice = {}, bob = {} }: { whole?: boolean, alice?: Partial<NodeOptions>, bob?: Partial<NodeOptions> } = {}): Promise<Pair & { readonly inbox: LotInbox, readonly files: MemoryFiles }> {
  const files = whole ? new WholeFiles(load) : new MemoryFiles(load)
  const inbox = new LotInbox()
  return { ...await pair({}, { alice: { files, ...alice }, bob, inbox }), inbox, files }
}

async function accept ({ bob }: Pair, id: string): Promise<void> {
  await (await bob.accept(id, undefined))?.finished
}

function assertThere (t: Tap, inbox: LotInbox, load: Record<string, Uint8Array>, without: readonly string[] = []): void {
  const wanted = Object.keys(load).filter(name => !name.endsWith('/') && !without.includes(name))
  t.same([...inbox.files.keys()].sort(), wanted.sort())
  for (const name of wanted) if (Buffer.compare(inbox.files.get(name)?.bytes as Uint8Array, load[name] as Uint8Array) !== 0) t.fail(`${name} is another`)
  t.match(inbox.files.get(wanted[0] as string), { mode: 0o755, mtimeMs: 1_600_000_000_000 })
}

async function assertTogether (t: Tap, whole: boolean): Promise<void> {
  const it = await scene(LOAD, { whole })
  const { id } = await it.alice.createOffer(BOB, 'd')
  it.files.reads.length = 0
  await accept(it, id)
  assertThere(t, it.inbox, LOAD)
  t.equal(it.inbox.lots.flat().length, 1502, 'all but the big one')
  t.notOk(it.inbox.lots.flat().includes('d/big'))
  t.ok(it.inbox.lots.every(names => names.length <= MANY_ENTRIES && names.reduce((sum, name) => sum + (LOAD[name]?.length ?? 0), 0) <= MANY_BYTES))
  t.ok(it.inbox.lots.length < 20, 'a lot that comes at once is followed by a larger one')
  t.same(it.files.reads.map(([name]) => name).sort(), Object.keys(LOAD).filter(name => LOAD[name]?.length !== 0).sort(), 'each was read once, and those without bytes were not')
  await turn()
  t.match(it.alice.offers(2), [{ status: 'completed' }])
  t.equal(it.alice.offers(2)[0]?.done.length, 1503)
  t.match(it.bob.offers(1), [{ status: 'completed', failures: [] }])
  t.equal(it.clock.pending, 0)
}

t.test('small files come together and larger ones beside them', t => assertTogether(t, true))

t.test('... from a source that only reads in pieces, too', t => assertTogether(t, false))

t.test('one at a time: the small ones first, and then the others', async t => {
  const it = await scene(LOAD, { bob: { parallel: 1 } })
  const { id } = await it.alice.createOffer(BOB, 'd')
  it.files.reads.length = 0
  await accept(it, id)
  assertThere(t, it.inbox, LOAD)
  t.equal(it.files.reads.findIndex(([name]) => name === 'd/big'), it.files.reads.length - 1)
})

t.test('what is wrong with one entry is not the others’ affair: one that shrank, one that is another, one that the inbox refuses', async t => {
  for (const fault of ['shrank', 'another', 'refused'] as const) {
    const it = await scene(LOAD)
    const { id } = await it.alice.createOffer(BOB, 'd')
    const bytes = LOAD['d/f700'] as Uint8Array
    if (fault === 'shrank') it.files.files.set('d/f700', bytes.subarray(1))
    else if (fault === 'another') it.files.files.set('d/f700', bytes.map(byte => byte ^ 1))
    else it.inbox.refused.add('d/f700')
    const code = { shrank: 'ERR_INCOMPLETE', another: 'ERR_DIGEST', refused: 'ERR_FILES' }[fault]
    await t.rejects(accept(it, id), { code, scope: 'transfer' })
    assertThere(t, it.inbox, LOAD, ['d/f700'])
    const index = it.bob.offers(1)[0]?.files.findIndex(({ uri }) => uri === 'd/f700')
    t.match(it.bob.offers(1)[0]?.failures, [[index, fault === 'refused' ? 'ERR_EXISTS' : code]])
    t.equal(it.alice.offers(2)[0]?.status, 'failed')
    if (fault === 'shrank') t.match(it.alice.offers(2)[0]?.failures, [[index, 'ERR_INCOMPLETE', /the file has changed: 699 != 700 bytes/]])
    // Once it is as it was offered only that one comes.
    it.files.files.set('d/f700', bytes)
    it.inbox.refused.clear()
    it.files.reads.length = 0
    await accept(it, id)
    t.same(it.files.reads, [['d/f700', 0]])
    assertThere(t, it.inbox, LOAD)
    t.match(it.bob.offers(1), [{ status: 'completed' }])
  }
})

/** A channel whose peer is gone behind so many bytes. */
function cutOff (channel: Channel, after: number): Channel {
  const { receive: _, ...rest } = channel
  return {
    ...rest,
    sink: source => channel.sink(source),
    abort: reason => { channel.abort(reason) },
    source: (async function * () {
      let left = after
      for await (const bytes of channel.source) {
        const piece = bytes instanceof Uint8Array ? bytes : bytes.subarray()
        if (piece.length > left) {
          if (left > 0) yield piece.subarray(0, left)
          channel.abort(new Error('cut'))
          throw new Error('cut')
        }
        left -= piece.length
        yield piece
      }
    })()
  } as Channel
}

t.test('cut at every byte: what had come whole stays, nothing else is there, and it goes on with the rest', async t => {
  const load: Record<string, Uint8Array> = {}
  for (let at = 0; at < 12; at++) load[`f${at}`] = pattern(at * 3 % 10, at)
  const names = Object.keys(load)
  const total = names.reduce((sum, name) => sum + 1 + (load[name] as Uint8Array).length, 0)
  for (let after = 0; after < total; after++) {
    const it = await scene(load)
    let cut = true
    const other = await pair({}, { bob: { query: async (_, port) => {
      const [left, right] = duplexPair()
      void it.alice.serve(right, BOB, port)
      return cut ? cutOff(left, after) : left
    } }, inbox: it.inbox })
    const { id } = await it.alice.createOffer(BOB, '')
    await other.bob.sendOffer(ALICE, id, it.alice.offers(2)[0]?.files ?? [])
    await t.rejects(accept(other, id), { code: 'ERR_INTERRUPTED' }, `cut after ${after}`)
    let [end, whole] = [0, 0]
    while (end + 1 + (load[names[whole] as string] as Uint8Array).length <= after) end += 1 + (load[names[whole++] as string] as Uint8Array).length
    t.same([...it.inbox.files.keys()], names.slice(0, whole))
    cut = false
    it.files.reads.length = 0
    await accept(other, id)
    t.same(it.files.reads.map(([name]) => name), names.slice(whole).filter(name => load[name]?.length !== 0), 'only the rest is read again')
    assertThere(t, it.inbox, load)
  }
})

t.test('a peer that is slow is asked for less at a time', async t => {
  const load: Record<string, Uint8Array> = {}
  for (let at = 0; at < 300; at++) load[`f${at}`] = pattern(10, at)
  const it = await scene(load)
  // Each lot takes a second by the clock.
  const { now } = it.clock
  let looks = 0
  it.clock.now = () => now.call(it.clock) + 1000 * looks++
  const { id } = await it.alice.createOffer(BOB, '')
  await accept(it, id)
  assertThere(t, it.inbox, load)
  const sizes = it.inbox.lots.map(({ length }) => length)
  t.same(sizes.slice(0, 4).concat(sizes.slice(-1)), [16, 16, 16, 8, 1])
})

t.test('only so many entries, and only those that have content', async t => {
  const it = await scene({ 'a': pattern(3), 'd/': new Uint8Array(0) })
  const { id } = await it.alice.createOffer(BOB, '')
  const ask = async (indices: readonly number[]): Promise<Error | undefined> => {
    const [left, right] = duplexPair()
    const served = it.alice.serve(right, BOB, 'warpdrive')
    const session = new Session(left)
    await askMany(session, id, indices)
    await session.close()
    return await served
  }
  t.equal(await ask([0, 0]), undefined)
  t.match(await ask([1]), { code: 'ERR_BAD_VALUE', message: 'entry 1 has no content' })
  t.match(await ask([0, 2]), { code: 'ERR_BAD_VALUE', message: 'entry 2 has no content' })
  t.match(await ask(new Array(MAX_UNCONFIRMED + 1).fill(0)), { code: 'ERR_TOO_MANY', message: 'downloadMany: 1025 > 1024 entries' })
  t.throws(() => it.alice.downloadMany('c3'.repeat(32), id, [0], new Pieces(undefined)), { code: 'ERR_UNKNOWN_OFFER' })
  await it.alice.updatePeer(BOB, 'mod', 'block')
  t.match(await ask([0]), { code: 'ERR_BLOCKED' })
})

t.test('a peer that refuses, and one that says something else than that an entry begins', async t => {
  for (const [answer, code] of [[[], 'ERR_REFUSED'], [[7, 0x61, 0, 0x61], 'ERR_BAD_VALUE']] as const) {
    const it = await scene({}, { bob: { query: async () => {
      const [left, right] = duplexPair()
      const peer = scriptedPeer(right)
      void peer.send(Uint8Array.from(answer)).then(() => peer.end())
      return left
    } } })
    const info = { path: '', size: 1, isDir: false, perm: 420, mime: '', sha256: 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb' }
    await it.bob.sendOffer(ALICE, 'x', ['a', 'b'].map(name => ({ ...info, uri: name, name })))
    await t.rejects(accept(it, 'x'), { code })
    t.same([...it.inbox.files.keys()], answer.length === 0 ? [] : ['b'])
  }
})

t.test('the command, as bytes and back', async t => {
  const command = { type: 'downloadMany' as const, id: 'ab', indices: [0, 1, 65_536, 2 ** 32 - 1] }
  const [bytes, ...rest] = encodeCommand(GO_838779E, 'warpdrive', command)
  t.same([Buffer.from(bytes as Uint8Array).toString('hex'), rest], ['68' + '026162' + '0004' + '00000000' + '00000001' + '00010000' + 'ffffffff', []])
  t.same(decodeCommand('downloadMany', (bytes as Uint8Array).subarray(1), undefined), command)
})

t.test('memory for pieces is used again, and never what is still in use', async () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 4 * SENT_BYTES }), fc.array(fc.integer({ min: 1, max: SENT_BYTES }), { minLength: 1, maxLength: 60 }), (heldBytes, lengths) => {
    const pieces = new Pieces(heldBytes)
    const given: Uint8Array[] = []
    for (const length of lengths) {
      const next = pieces.next()
      if (next.length !== SENT_BYTES) return false
      // Those that hold the last bytes, and the last array of all.
      let held = 0
      for (let at = given.length - 1; at >= 0 && (held < heldBytes || at === given.length - 1); at--) {
        const piece = given[at] as Uint8Array
        held += piece.length
        if (piece.buffer === next.buffer && piece.byteOffset < next.byteOffset + length && next.byteOffset < piece.byteOffset + piece.length) return false
      }
      given.push(next.subarray(0, length))
      pieces.taken(length)
    }
    return new Set(given.map(({ buffer }) => buffer)).size === 1
  }), { numRuns: 500 })
})

t.test('memory for what is read is used again, and never what is still in use: what was given last, what is read ahead, and what came of it too short or not at all', async t => {
  // How much is asked for, how much of it is read, and whether it is given: once in a session it is not, at its end.
  const asked = fc.integer({ min: 0, max: READ_BYTES })
  fc.assert(fc.property(fc.integer({ min: 0, max: 4 * READ_BYTES }), fc.array(asked, { minLength: 2, maxLength: 80 }), fc.nat(100), fc.nat(READ_BYTES), (heldBytes, sizes, broken, short) => {
    const ring = new ReadRing(heldBytes)
    const given: Uint8Array[] = []
    let ahead: Uint8Array | undefined
    for (const [index, size] of sizes.entries()) {
      const next = ring.take(size)
      if (next.length !== size) return false
      const used: Uint8Array[] = ahead === undefined ? [] : [ahead]
      let held = 0
      for (let at = given.length - 1; at >= 0 && (held < heldBytes || at === given.length - 1); at--) {
        const piece = given[at] as Uint8Array
        // Of the array that was given last all is in use, of those before only the last bytes.
        const part = at === given.length - 1 ? piece : piece.subarray(Math.max(0, piece.length - (heldBytes - held)))
        if (at < given.length - 1) held += part.length
        used.push(part)
      }
      if (used.some(piece => piece.byteOffset < next.byteOffset + size && next.byteOffset < piece.byteOffset + piece.length)) return false
      // What was read ahead is given now.
      if (ahead !== undefined) given.push(index === broken ? ahead.subarray(0, short) : ahead)
      ahead = next
    }
    return new Set(given.map(({ buffer }) => buffer)).size <= 1
  }), { numRuns: 2000 })
  t.throws(() => new ReadRing(0).take(READ_BYTES + 1), RangeError)
})
