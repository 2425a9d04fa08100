import { execFileSync } from 'node:child_process'
import { chmod, mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { patternAt } from '@ropewalk/testing'
import t from 'tap'
import { nodeHash } from '../src/hash.ts'
import { castr } from '../src/store.ts'
import { folder } from './folder.ts'

for (const readAtOnce of [true, false]) {
  t.test(`whatever lies under the name of a chunk, get says the same${readAtOnce ? ', at once' : ''}`, async t => {
    const at = await folder(t)
    const store = castr(join(at, 'store'), { readAtOnce })
    const bytes = patternAt(3, 50_000)
    const id = Buffer.from(await nodeHash('sha512-256', bytes)).toString('hex')
    const path = join(at, 'store', id.slice(0, 4), `${id}.cacnk`)
    t.equal(await store.get(id), undefined, 'nothing')
    await store.put({ id, bytes })
    await store.sync()
    t.same((await store.get(id))?.bytes, bytes)
    t.same((await store.get(id, { length: bytes.length }))?.bytes, bytes)
    await t.rejects(store.get(id, { length: bytes.length - 1 }), { code: 'ERR_CHUNK_SIZE', id })

    await rename(path, `${path}.real`)
    await symlink(`${path}.real`, path)
    t.equal(await store.get(id), undefined, 'a link')
    await rm(path)
    await mkdir(path)
    t.equal(await store.get(id), undefined, 'a folder')
    await rm(path, { recursive: true })
    execFileSync('mkfifo', [path])
    t.equal(await store.get(id), undefined, 'a pipe that nobody writes to')
    await rm(path)

    await rename(`${path}.real`, path)
    await chmod(path, 0o644)
    await truncate(path, 1000)
    await t.rejects(store.get(id), { code: 'ERR_CHUNK_DAMAGED', id })
    await writeFile(path, new Uint8Array(60_000))
    await t.rejects(store.get(id, { length: bytes.length }), { code: 'ERR_CHUNK_SIZE', id }, 'longer than that chunk ever is')
    await writeFile(path.replace(/\.cacnk$/, ''), bytes)
    await rm(path)
    t.same(Uint8Array.from((await store.get(id))?.bytes ?? []), bytes, 'as it is')
  })
}
