import { createHash } from 'node:crypto'
import type { TreeItem, TreeNode } from '@ropewalk/interface'
import fc from 'fast-check'
import t from 'tap'
import { decodeArchive, encodeArchive } from '../src/archive.ts'
import { ArchiveDecoder } from '../src/archive-decoder-codec.ts'
import { ArchiveEncoder } from '../src/archive-encoder-codec.ts'
import { RECORD_TYPES } from '../src/constants.ts'
import { CasyncError } from '../src/errors.ts'
import { archiveFeatures, featureNames } from '../src/features.ts'
import { decodeName, encodeName } from '../src/name-codec.ts'
import { recordHead } from '../src/record-codec.ts'
import { ARCHIVES, decode, encode, featuresOf, FEATURE_VECTORS } from './archives.ts'

const everything = ARCHIVES[0] as typeof ARCHIVES[number]

t.test('features are the word that the original writes for the same options', async t => {
  for (const { options, features } of FEATURE_VECTORS) t.equal(featuresOf(options).toString(16), features.toString(16), options.join(' '))
  t.throws(() => archiveFeatures({ with: ['everything'] }), RangeError)
  t.same(featureNames(archiveFeatures({ with: ['unix'] })), ['16bit-uids', 'sec-time', 'permissions', 'symlinks', 'device-nodes', 'fifos', 'sockets'])
})

t.test('archives of the original are read and written again byte by byte, however they are cut', async t => {
  for (const { options, bytes, digest } of ARCHIVES) {
    for (const pieceBytes of [1, 7, bytes.length]) t.ok(bytes.length > 1000 && Buffer.from(bytes).equals(encode(decode(bytes, pieceBytes), featuresOf(options))), `${options.join(' ')} in pieces of ${pieceBytes}`)
    t.equal(createHash(options.includes('--digest=sha256') ? 'sha256' : 'sha512-256').update(bytes).digest('hex'), digest)
  }
})

t.test('what an archive of everything says makes the archives of less, as the original makes them', async t => {
  const parts = decode(everything.bytes)
  for (const { options, bytes } of ARCHIVES) {
    // Of what was left out, the first has nothing.
    if (options.includes('--exclude-nodump=no')) continue
    t.ok(Buffer.from(bytes).equals(encode(parts, featuresOf(options))), options.join(' '))
  }
})

t.test('a node has all that the original recorded of it', async t => {
  const nodes = new Map(decode(everything.bytes).filter(part => part.kind === 'node').map(({ node }) => [node.path, node]))
  const device = nodes.get('blk') as TreeNode
  t.match(device, { type: 'block', device: { major: 7, minor: 1 }, permissions: 0o644, uid: 0 })
  t.match(nodes.get('link'), { type: 'symlink', target: 'a.txt', mtime: 915148800_500000000n })
  t.match(nodes.get('neg'), { mtime: -3_500000000n, size: 0 })
  t.match(nodes.get('\udcff\udcfe'), { type: 'file' }, 'a name that is no UTF-8')
  t.match(nodes.get('sub/g'), { uid: 5, user: 'games', gid: 1001, permissions: 0o4755 & ~0o4000 | 0o4000, attributes: ['noatime'] })
  t.equal(nodes.get('sub/g')?.group, undefined)
  const a = nodes.get('a') as TreeNode
  t.same(a.xattrs?.map(({ name, value }) => [name, Buffer.from(value).toString('latin1')]), [['trusted.tt', '\0\x01\xff'], ['user.abc', ''], ['user.foo', 'bar'], ['user.zz', '\0\x01\xff']])
  t.match(a, { label: 'foo_t', acl: { users: [{ id: 5, name: 'games', permissions: 6 }], groups: [], group: 4 } })
  t.match(nodes.get('d'), { attributes: ['dirsync', 'sync', 'projinherit'], defaultAcl: { owner: 7, group: 5, other: 4, mask: 1, users: [{ id: 5, permissions: 4 }] } })
})

t.test('names are text without loss', async t => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), bytes => Buffer.from(encodeName(decodeName(bytes))).equals(bytes)))
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), text => decodeName(encodeName(text)) === text))
  t.equal(decodeName(Uint8Array.of(0x66, 0xff, 0xc3, 0xbc, 0xe2, 0x82)), 'f\udcffü\udce2\udc82')
  t.throws(() => encodeName('\ud800'), RangeError)
})

t.test('a flipped bit anywhere is refused, or changes what the archive says: nothing is ignored', async t => {
  const before = JSON.stringify(decode(everything.bytes), show)
  let refused = 0
  for (let at = 0; at < everything.bytes.length; at++) {
    const bytes = everything.bytes.slice()
    bytes[at] = (bytes[at] as number) ^ 1 << at % 8
    try {
      if (JSON.stringify(decode(bytes), show) === before) t.fail(`byte ${at} means nothing`)
    } catch (error) {
      refused++
      if (!(error instanceof CasyncError && ['ERR_ARCHIVE', 'ERR_TRUNCATED', 'ERR_ARCHIVE_TOO_LARGE'].includes(error.code))) throw error
    }
  }
  t.ok(refused > everything.bytes.length * 0.6, `${refused} of ${everything.bytes.length}`)
})

t.test('an archive that ends early is truncated wherever it does', async t => {
  const decoder = new ArchiveDecoder()
  for (const byte of everything.bytes) {
    try {
      decoder.end()
      t.fail('passes for an archive')
    } catch (error) {
      if (!(error instanceof CasyncError && error.code === 'ERR_TRUNCATED')) throw error
    }
    decoder.push(Uint8Array.of(byte))
  }
  decoder.end()
  t.ok(everything.bytes.length > 2000)
})

t.test('what is no archive is refused with the place', async t => {
  const root = record('ENTRY', [archiveFeatures(), 0o40755n, 0n, 0n, 0n, 0n])
  const file = record('ENTRY', [archiveFeatures(), 0o100644n, 0n, 0n, 0n, 0n])
  const name = (text: string): Uint8Array => record('FILENAME', [], `${text}\0`)
  const table: ReadonlyArray<readonly [what: string, bytes: Uint8Array[], code: string, offset: number]> = [
    ['a type that nobody defined', [Buffer.alloc(16, 0x11)], 'ERR_ARCHIVE', 0],
    ['a record without room for its head', [Buffer.from('0f00000000000000', 'hex'), root.subarray(8)], 'ERR_ARCHIVE', 0],
    ['a root that is a file', [file], 'ERR_ARCHIVE', 0],
    ['features that contradict each other', [record('ENTRY', [archiveFeatures() | 1n, 0o40755n, 0n, 0n, 0n, 0n])], 'ERR_ARCHIVE', 0],
    ['an unknown type of node', [record('ENTRY', [archiveFeatures(), 0o755n, 0n, 0n, 0n, 0n])], 'ERR_ARCHIVE', 0],
    ['an owner above 32 bits', [record('ENTRY', [archiveFeatures(), 0o40755n, 0n, 1n << 32n, 0n, 0n])], 'ERR_ARCHIVE', 0],
    ['an attribute that the features do not have', [record('ENTRY', [archiveFeatures({ with: ['unix'] }), 0o40755n, 0x10000n, 0n, 0n, 0n])], 'ERR_ARCHIVE', 0],
    ['the parent folder as a name', [root, name('..')], 'ERR_ARCHIVE', 64],
    ['a path as a name', [root, name('a/b')], 'ERR_ARCHIVE', 64],
    ['an absolute path as a name', [root, name('/etc')], 'ERR_ARCHIVE', 64],
    ['an empty name', [root, name('')], 'ERR_ARCHIVE', 64],
    ['a name with a NUL in it', [root, name('a\0b')], 'ERR_ARCHIVE', 64],
    ['a name without a NUL', [root, record('FILENAME', [], 'ab')], 'ERR_ARCHIVE', 64],
    ['a name of 256 bytes', [root, name('a'.repeat(256))], 'ERR_ARCHIVE', 64],
    ['a name of 2^60 bytes, from its head alone', [root, recordHead('FILENAME', 2 ** 50)], 'ERR_ARCHIVE', 64],
    ['names out of order', [root, name('b'), file, recordHead('PAYLOAD', 0), name('a')], 'ERR_ARCHIVE', 64 + 18 + 64 + 16],
    ['a name twice', [root, name('b'), file, recordHead('PAYLOAD', 0), name('b')], 'ERR_ARCHIVE', 64 + 18 + 64 + 16],
    ['a name and no entry', [root, name('b'), name('c')], 'ERR_ARCHIVE', 64 + 18],
    ['content of a folder', [root, recordHead('PAYLOAD', 5)], 'ERR_ARCHIVE', 64],
    ['a file without content', [root, name('b'), file, name('c')], 'ERR_ARCHIVE', 64 + 18 + 64],
    ['a link that is a file', [root, name('b'), file, record('SYMLINK', [], 'x\0')], 'ERR_ARCHIVE', 64 + 18 + 64],
    ['a group before its user', [root, record('GROUP', [], 'x\0'), record('USER', [], 'x\0')], 'ERR_ARCHIVE', 64 + 18],
    ['a user twice', [root, record('USER', [], 'x\0'), record('USER', [], 'x\0')], 'ERR_ARCHIVE', 64 + 18],
    ['permissions above 7', [root, record('ACL_GROUP_OBJ', [8n], '')], 'ERR_ARCHIVE', 64],
    ['another table at the end of a folder', [root, recordHead('GOODBYE', 48)], 'ERR_ARCHIVE', 64],
    ['other features further down', [root, name('b'), record('ENTRY', [archiveFeatures({ with: ['unix'] }), 0o100644n, 0n, 0n, 0n, 0n])], 'ERR_ARCHIVE', 64 + 18],
    ['too many records of one node', [root, ...Array.from({ length: 4097 }, () => record('XATTR', [], 'user.a\0'))], 'ERR_ARCHIVE_TOO_LARGE', 64 + 4096 * 23],
    ['too many bytes of one node', [root, ...Array.from({ length: 17 }, () => record('XATTR', [], `user.a\0${'x'.repeat(65000)}`))], 'ERR_ARCHIVE_TOO_LARGE', 64 + 16 * 65023]
  ]
  for (const [what, pieces, code, offset] of table) {
    const decoder = new ArchiveDecoder()
    t.throws(() => { for (const piece of pieces) decoder.push(piece) }, { code, offset, remote: true }, what)
  }
  t.throws(() => { decode(Buffer.concat([everything.bytes, Buffer.of(0)])) }, { code: 'ERR_ARCHIVE' }, 'bytes behind the end')
})

t.test('folders in each other and names in them are bounded', async t => {
  const root = record('ENTRY', [archiveFeatures(), 0o40755n, 0n, 0n, 0n, 0n])
  const decoder = new ArchiveDecoder({ maxOpenNames: 2000 })
  t.throws(() => {
    decoder.push(root)
    for (let i = 0; i < 1100; i++) decoder.push(Buffer.concat([record('FILENAME', [], 'd\0'), root]))
  }, { code: 'ERR_ARCHIVE_TOO_LARGE' })
  const wide = new ArchiveDecoder({ maxOpenNames: 100 })
  const file = record('ENTRY', [archiveFeatures(), 0o100644n, 0n, 0n, 0n, 0n])
  t.throws(() => {
    wide.push(root)
    for (let i = 100; i < 300; i++) wide.push(Buffer.concat([record('FILENAME', [], `${i}\0`), file, recordHead('PAYLOAD', 0)]))
  }, { code: 'ERR_ARCHIVE_TOO_LARGE' })
})

t.test('a tree that is none is not archived', async t => {
  const node = (path: string, more: Partial<TreeNode> = {}): TreeNode => ({ path, type: 'file', permissions: 0o644, uid: 0, gid: 0, size: 0, ...more })
  const root = node('', { type: 'directory' })
  const table: ReadonlyArray<readonly [what: string, nodes: TreeNode[], features?: bigint]> = [
    ['no root', [node('a')]],
    ['names out of order', [root, node('b'), node('a')]],
    ['a file in a file', [root, node('b'), node('b/c')]],
    ['a folder that nobody opened', [root, node('b/c')]],
    ['the parent', [root, node('..')]],
    ['bytes that are missing', [root, node('a', { size: 3 }), node('b')]],
    ['a link to nowhere', [root, node('a', { type: 'symlink', target: '' })]],
    ['an owner without room', [node('', { type: 'directory', uid: 70_000 })], archiveFeatures({ with: ['unix'] })],
    ['nobody\'s', [{ path: '', type: 'directory', permissions: 0o755 }]],
    ['a device without numbers', [root, node('a', { type: 'block' })]]
  ]
  for (const [what, nodes, features] of table) {
    const encoder = new ArchiveEncoder(features)
    t.throws(() => { for (const one of nodes) encoder.node(one) }, { code: 'ERR_TREE', remote: false }, what)
  }
  const encoder = new ArchiveEncoder()
  encoder.node(root)
  encoder.node(node('a', { size: 3 }))
  t.throws(() => { encoder.data(new Uint8Array(4)) }, { code: 'ERR_TREE' }, 'a file that is longer than announced')
})

t.test('content that is lent is kept by nobody, and what comes of it is lent where that is wanted', async t => {
  const sizes = [10, 300_000, 0, 262_144, 1_000_000, 5]
  const lent = new Uint8Array(1_000_000)
  async function * items (): AsyncGenerator<TreeItem> {
    yield { node: { path: '', type: 'directory', permissions: 0o755, uid: 0, gid: 0, mtime: 0n } }
    for (const [i, size] of sizes.entries()) {
      yield {
        node: { path: `file-${i}`, type: 'file', permissions: 0o644, uid: 0, gid: 0, mtime: 0n, size },
        content: async function * () {
          yield lent.fill(i + 1).subarray(0, size)
          lent.fill(0xff)
        }
      }
    }
  }
  const wanted: Uint8Array[] = []
  const encoder = new ArchiveEncoder()
  for await (const { node } of items()) {
    wanted.push(...encoder.node(node))
    if (node.type !== 'file') continue
    const bytes = new Uint8Array(node.size ?? 0).fill(Number(node.path.slice(5)) + 1)
    encoder.data(bytes)
    wanted.push(bytes)
  }
  wanted.push(...encoder.end())
  for (const lend of [true, false]) {
    const copies: Uint8Array[] = []
    const pieces: Uint8Array[] = []
    for await (const piece of encodeArchive({ lend })(items())) {
      copies.push(piece.slice())
      pieces.push(piece)
      t.ok(piece.length > 0 && piece.length <= 1_000_000)
    }
    t.ok(Buffer.concat(copies).equals(Buffer.concat(wanted)), `lend ${lend}`)
    t.equal(Buffer.concat(pieces).equals(Buffer.concat(wanted)), !lend)
  }
})

t.test('the pipelines give what the codecs give', async t => {
  const items: TreeItem[] = []
  for (const part of decode(everything.bytes)) {
    if (part.kind === 'node') items.push({ node: part.node })
    if (part.kind === 'data') items.push({ ...items.pop() as TreeItem, content: () => [part.bytes] })
  }
  const written: Uint8Array[] = []
  for await (const bytes of encodeArchive()(items)) written.push(bytes)
  t.ok(Buffer.from(everything.bytes).equals(Buffer.concat(written)))
  let features: bigint | undefined
  const kinds = []
  for await (const { kind } of decodeArchive({ onFeatures: word => { features = word } })(written)) kinds.push(kind)
  t.equal(features, archiveFeatures())
  t.same(kinds, decode(everything.bytes).map(({ kind }) => kind))
  await t.rejects(async () => { for await (const part of decodeArchive({ signal: AbortSignal.abort(new Error('enough')) })(written)) t.fail(part.kind) }, /enough/)
})

/** Bigints and bytes so that they can be compared. */
function show (_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
}

function record (type: keyof typeof RECORD_TYPES, words: readonly bigint[], text: string = ''): Buffer {
  const bytes = Buffer.alloc(16 + 8 * words.length)
  const body = Buffer.from(text, 'latin1')
  bytes.writeBigUInt64LE(BigInt(bytes.length + body.length))
  bytes.writeBigUInt64LE(RECORD_TYPES[type], 8)
  for (const [i, word] of words.entries()) bytes.writeBigUInt64LE(word, 16 + 8 * i)
  return Buffer.concat([bytes, body])
}
