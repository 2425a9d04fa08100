import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { appendFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TransferEvent } from '@ropewalk/interface'
import { READ_BYTES } from '@ropewalk/protocol-warpdrive'
import { turn } from '@ropewalk/testing'
import t from 'tap'
import { Sources } from '../src/peers/sources.ts'
import { folder } from './processes.ts'

const SIZE = 1_500_000
const CONTENT = Buffer.from(Uint8Array.from({ length: SIZE }, (_, at) => at * 7 + (at >> 8)))

/** Reads what was offered, and has something happen to it when the first bytes are there. */
async function readWhile (path: string, happens: () => void): Promise<{ bytes: Buffer, last: TransferEvent['event'] | undefined }> {
  const events: TransferEvent[] = []
  const sources = new Sources((_source, event) => { events.push(event) })
  const pieces: Uint8Array[] = []
  for await (const piece of sources.read(path, 0, SIZE, {})) {
    if (pieces.length === 0) happens()
    pieces.push(piece)
  }
  return { bytes: Buffer.concat(pieces), last: events.at(-1)?.event }
}

t.test('X2: a file that is offered is read as it was when it was opened, up to the size that was offered, whatever becomes of its name', async t => {
  const root = await folder(t)
  const make = (name: string): string => {
    const path = join(root, name)
    writeFileSync(path, CONTENT)
    return path
  }
  const changes: Array<[string, (path: string) => void]> = [
    ['grows', path => { appendFileSync(path, 'more') }],
    ['vanishes', path => { rmSync(path) }],
    ['is replaced', path => {
      writeFileSync(`${path}.new`, Buffer.alloc(SIZE, 1))
      renameSync(`${path}.new`, path)
    }],
    ['becomes a link', path => {
      rmSync(path)
      symlinkSync('/etc/passwd', path)
    }]
  ]
  for (const [what, change] of changes) {
    const path = make(what)
    const { bytes, last } = await readWhile(path, () => { change(path) })
    t.equal(Buffer.compare(bytes, CONTENT), 0, what)
    t.equal(last, 'finished', what)
  }
  // Behind what is being read at that moment: of that, the system gives bytes or zeros.
  const path = make('is cut')
  const { bytes, last } = await readWhile(path, () => { truncateSync(path, 1_200_000) })
  t.ok(bytes.length < SIZE && Buffer.compare(bytes, CONTENT.subarray(0, bytes.length)) === 0, `${bytes.length} of ${SIZE} bytes, and no other ones`)
  t.equal(last, 'failed')
})

t.test('X2: what is no file any more when it is asked for is refused, and nobody waits for it', async t => {
  const root = await folder(t)
  const [link, pipe] = [join(root, 'link'), join(root, 'pipe')]
  symlinkSync('/etc/passwd', link)
  t.equal(spawnSync('mkfifo', [pipe]).status, 0)
  for (const path of [join(root, 'gone'), link, pipe, root]) await t.rejects(readWhile(path, () => {}), { code: /^ERR_/ }, path)
})

t.test('X2: what is offered has the digest of its content, of any length', async t => {
  const root = await folder(t)
  const sources = new Sources(() => {})
  for (const size of [0, 1, 65_536, 65_537, READ_BYTES, READ_BYTES + 1, SIZE]) {
    const path = join(root, String(size))
    writeFileSync(path, CONTENT.subarray(0, size))
    const [file] = await sources.list(path, {})
    t.match(file, { size, sha256: createHash('sha256').update(CONTENT.subarray(0, size)).digest('hex') })
  }
})

t.test('what is read goes into the memory that is lent, in the order in which it is given, and no more than one array ahead: the one before the last may be used again', async t => {
  const path = join(await folder(t), 'file')
  const content = randomBytes(5_000_000)
  const sources = new Sources(() => {})
  for (const [start, size] of [[123, content.length], [0, 2 * READ_BYTES], [0, 65_536], [5, 65_537], [0, 1]] as const) {
    writeFileSync(path, content.subarray(0, size))
    const lent: Uint8Array[] = []
    let [given, at, most] = [0, start as number, 0]
    const memory = (bytes: number): Uint8Array => {
      // Of what is there the last array is in use, and the one that is about to be given.
      const before = lent.at(-3)
      lent.push(before === undefined ? new Uint8Array(READ_BYTES).subarray(0, bytes) : new Uint8Array(before.buffer, 0, bytes).fill(0))
      most = Math.max(most, lent.length - given)
      return lent.at(-1) as Uint8Array
    }
    let last: Uint8Array = new Uint8Array(0)
    for await (const piece of sources.read(path, start, size, { memory })) {
      t.equal(piece.buffer, lent[given++]?.buffer)
      // The next one is there by now, too.
      for (let turns = 0; turns < 20; turns++) await turn()
      t.ok(content.subarray(at - last.length, at).equals(last), 'the last one is as it was')
      t.ok(content.subarray(at, at += piece.length).equals(piece) && piece.length <= READ_BYTES)
      last = piece
    }
    t.equal(at, size)
    t.equal(lent.length, given)
    // What is about to be given, and the next.
    t.ok(most <= 2, `${most}`)
  }
})

t.test('a read ahead that fails is told to whoever asks for its piece, and is nobody else\'s', { skip: process.platform !== 'linux' }, async t => {
  // Memory behind the last page of a mapping cannot be read: EIO, behind bytes that can.
  const maps = (await readFile('/proc/self/maps', 'latin1')).trim().split('\n').map(line => /^([0-9a-f]+)-([0-9a-f]+) (r)?/.exec(line)).map(found => ({ from: parseInt(found?.[1] ?? '', 16), to: parseInt(found?.[2] ?? '', 16), readable: found?.[3] === 'r' }))
  const last = maps.find(({ from, to, readable }, at) => readable && to - from >= 2 ** 20 && (maps[at + 1]?.from ?? Infinity) > to)
  const edge = last?.to ?? NaN
  const pieces = new Sources(() => {}).read('/proc/self/mem', edge - READ_BYTES, edge + 2 ** 20, {})[Symbol.asyncIterator]()
  t.equal((await pieces.next()).value?.length, READ_BYTES)
  for (let turns = 0; turns < 50; turns++) await turn()
  await t.rejects(async () => { for (;;) if ((await pieces.next()).done === true) return })
})
