import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { castr, nodeHash } from '@ropewalk/store-castr'
import { assemble, decodeIndex, pull, push } from '@ropewalk/protocol-casync'
import t from 'tap'
import { casyncArguments } from '../src/casync/drop-in.ts'
import { commandWords } from '../src/casync/confine.ts'
import { parseHelperCall } from '../src/casync/remote-end.ts'
import { folder } from './processes.ts'
import { compression, helper, makeBlob, noise, runHelperAlone } from './casync-scene.ts'

const BLOB = noise('helper', 500_000)

async function assembled (index: AsyncIterable<Uint8Array>, session: Awaited<ReturnType<typeof pull>>): Promise<Buffer> {
  const target = Buffer.alloc(BLOB.length)
  await assemble(decodeIndex()(index), session, {
    write: async (bytes, position) => { target.set(bytes, position) },
    read: async (into, position) => target.copy(into, 0, position)
  }, nodeHash)
  return target
}

t.test('a client pulls an index and its chunks, and the helper ends with 0', async t => {
  const at = await folder(t)
  await makeBlob(BLOB, join(at, 'a.caibx'), join(at, 'default.castr'))
  const connection = await helper(['--rate-limit-bps=1000000', '--log-level=3', 'pull', '-', '-', join(at, 'a.caibx'), join(at, 'none.castr'), join(at, 'default.castr')])
  const session = await pull(connection, { hash: nodeHash, compression })
  t.ok(BLOB.equals(await assembled(session.index, session)))
  await session.close()
  t.match(await connection.exited, { code: 0, stderr: '' })
})

t.test('a client pushes; the index appears when every chunk is there', async t => {
  const at = await folder(t)
  const index = await makeBlob(BLOB, join(at, 'a.caibx'), join(at, 'default.castr'))
  const connection = await helper(['push', '-', '-', join(at, 'b.caibx'), join(at, 'b.castr')])
  const { chunks } = await push(connection, { index: [index], store: castr(join(at, 'default.castr')), compression })
  t.match(await connection.exited, { code: 0 })
  t.ok(chunks > 3)
  t.ok(index.equals(await readFile(join(at, 'b.caibx'))))
  const chunkFolders = async (store: string): Promise<string[]> => (await readdir(store)).filter(name => /^[0-9a-f]{4}$/.test(name)).sort()
  t.same(await chunkFolders(join(at, 'b.castr')), await chunkFolders(join(at, 'default.castr')))

  const cut = await helper(['push', '-', '-', join(at, 'c.caibx'), join(at, 'c.castr')])
  await t.rejects(push(cut, { index: [index], store: { get: async () => undefined }, compression }))
  t.match(await cut.exited, { code: 1 })
  t.same((await readdir(at)).filter(name => name.includes('c.caibx')), [], 'nothing is left of a push that failed')
})

t.test('told to end in the middle of a push, it goes and leaves no index', async t => {
  const at = await folder(t)
  const index = await makeBlob(BLOB, join(at, 'a.caibx'), join(at, 'default.castr'))
  const store = castr(join(at, 'default.castr'))
  const connection = await helper(['push', '-', '-', join(at, 'b.caibx'), join(at, 'b.castr')])
  let asked = 0
  const pushing = push(connection, {
    index: [index],
    compression,
    store: {
      get: async (id, options) => {
        // The first one goes; then the end is near.
        if (asked++ === 1) process.kill(connection.pid, 'SIGTERM')
        if (asked > 1) await connection.exited
        return await store.get(id, options)
      }
    }
  })
  await t.rejects(pushing)
  const { code, signal } = await connection.exited
  t.ok(signal === 'SIGTERM' || (code !== 0 && code !== null), `${code} ${signal}`)
  t.same((await readdir(at)).filter(name => name.includes('b.caibx')), [])
})

t.test('an archive travels both ways', async t => {
  const at = await folder(t)
  await writeFile(join(at, 'a.catar'), BLOB)
  const from = await helper(['pull', '-', join(at, 'a.catar'), '-', '-'])
  const session = await pull(from, { archive: true, hash: nodeHash, compression })
  const parts: Uint8Array[] = []
  for await (const bytes of session.archive) parts.push(bytes)
  await session.close()
  t.ok(BLOB.equals(Buffer.concat(parts)))
  const to = await helper(['push', '-', join(at, 'b.catar'), '-', '-'])
  await push(to, { archive: [BLOB], compression })
  t.match(await to.exited, { code: 0 })
  t.ok(BLOB.equals(await readFile(join(at, 'b.catar'))))
})

t.test('an index that is not there is told to the client, and ends the helper with 1', async t => {
  const at = await folder(t)
  const connection = await helper(['pull', '-', '-', join(at, 'none.caibx'), join(at, 'x.castr')])
  const session = await pull(connection, { hash: nodeHash, compression })
  await t.rejects(assembled(session.index, session), { code: 'ERR_ABORTED', errno: 2 })
  t.match(await connection.exited, { code: 1, stderr: /^ropewalk-casync: .*\(ERR_STORE\)\n$/ })
})

t.test('calls that the original refuses are refused, with 1 and a word on standard error only', async t => {
  for (const args of [['pull'], ['pull', '-', '-', '-'], ['pull', '-', '-', '-', '-'], ['push', '/base', '-', '/i.caibx', '/s'], ['push', '--bad', '-', '-', '/i', '/s']]) {
    t.match(await runHelperAlone(args), { code: 1, stdout: '', stderr: /^ropewalk-casync: .*\(ERR_USAGE\)\n/ }, args.join(' '))
  }
  t.same(parseHelperCall(['-v', 'pull', '-', '-', 'dir/i.caibx', '-', '/s']).stores, [undefined, { kind: 'file', path: '/s' }])
})

t.test('behind a forced command only what lies below the root is served, and only what is allowed', async t => {
  const at = await folder(t)
  const root = join(at, 'root')
  await mkdir(root)
  await makeBlob(BLOB, join(root, 'a b.caibx'), join(root, 'default.castr'))
  await makeBlob(BLOB, join(at, 'secret.caibx'), join(at, 'default.castr'))
  await symlink(join(at, 'secret.caibx'), join(root, 'link.caibx'))
  const call = (words: string): NodeJS.ProcessEnv => ({ SSH_ORIGINAL_COMMAND: words })

  const connection = await helper([`--root=${root}`], call(`casync pull - - 'a b.caibx' '${root}/default.castr'`))
  const session = await pull(connection, { hash: nodeHash, compression })
  t.ok(BLOB.equals(await assembled(session.index, session)))
  await session.close()

  for (const index of [join(at, 'secret.caibx'), '../secret.caibx', 'link.caibx', 'http://127.0.0.1/x', `${root}-other/x`]) {
    t.match(await runHelperAlone([`--root=${root}`], call(`casync pull - - ${index} default.castr`)), { code: 1, stdout: '', stderr: /ERR_REFUSED/ }, index)
  }
  t.match(await runHelperAlone([`--root=${root}`], call('casync push - - new.caibx default.castr')), { code: 1, stderr: /push is not allowed/ })
  t.match(await runHelperAlone([`--root=${root}`], call('')), { code: 1, stderr: /pull or push/ })
  const taker = await helper([`--root=${root}`, '--allow=push'], call('casync push - - new.caibx new.castr'))
  await push(taker, { index: [await readFile(join(root, 'a b.caibx'))], store: castr(join(root, 'default.castr')), compression })
  t.match(await taker.exited, { code: 0 })
  t.ok((await readdir(root)).includes('new.caibx'))
})

t.test('a command is split as a shell would split it', async t => {
  t.same(commandWords('casync  pull - \'a b\'"c \\" d"\\ e'), ['casync', 'pull', '-', 'a bc " d e'])
  t.throws(() => commandWords('casync \'x'), { code: 'ERR_USAGE' })
  t.throws(() => commandWords('x\\'), { code: 'ERR_USAGE' })
  t.same(commandWords('casync pull $(id) ; x'), ['casync', 'pull', '$(id)', ';', 'x'], 'nothing is expanded')
})

t.test('what casync is asked in its way is asked of us in ours', async t => {
  t.same(casyncArguments(['--store=/s', '-v', 'extract', 'i.caibx', '--seed=x', 'out']), ['casync', 'extract', '--store=/s', '-v', 'i.caibx', '--seed=x', 'out'])
  t.same(casyncArguments(['--store', '/s', '-n', 'gc', 'i.caibx']), ['casync', 'gc', '--store', '/s', '-n', 'i.caibx'])
})
