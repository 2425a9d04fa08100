import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { FragmentStore } from '@ropewalk/interface'
import t from 'tap'
import { makeFolder } from './folder.ts'

const CHILD = fileURLToPath(new URL('crash-child.ts', import.meta.url))
const ROUNDS = 30

t.test('kill -9 at any moment: what was reported committed is whole, and nothing else is served', async t => {
  const folder = await makeFolder()
  t.teardown(folder.dispose)
  const begun = new Map<string, string>()
  const synced = new Map<string, number>()
  const committed = new Set<string>()
  const removing = new Set<string>()
  const removed = new Set<string>()
  const readable = new Set<string>()
  const believed = new Set<string>()
  let unfinished = 0

  for (let round = 0; round < ROUNDS; round++) {
    for (const line of await runUntilKilled(folder.path, 1 + Math.floor(Math.random() * 16))) {
      const [what, id = '', value = ''] = line.split(' ')
      if (what === 'begun') begun.set(id, value)
      if (what === 'synced') synced.set(id, Number(value))
      if (what === 'committed') committed.add(id)
      if (what === 'removing') removing.add(id)
      if (what === 'removed') removed.add(id)
    }

    const store = await folder.open()
    const listed = new Map<string, boolean>()
    for await (const { id, committed, size } of store.list()) {
      listed.set(id, committed)
      if (committed) {
        // Once found whole in a later round too, an object is believed: the rounds stay short.
        if (believed.has(id)) continue
        if (readable.has(id)) believed.add(id)
        readable.add(id)
        if (await digestOf(store, id) !== begun.get(id)) t.fail(`${id} is served and not whole`)
      } else {
        unfinished++
        if (size < (synced.get(id) ?? 0)) t.fail(`${id} has ${size} < ${synced.get(id)} bytes that were synced`)
        if (await store.read(id).catch(error => error.code) !== 'ERR_NOT_FOUND') t.fail(`${id} is unfinished and served`)
      }
      if (removed.has(id)) t.fail(`${id} was removed and is back`)
    }
    for (const id of committed) {
      if (listed.get(id) !== true && !removing.has(id)) t.fail(`${id} was committed and is gone`)
    }
    await store.close()
  }
  t.ok(readable.size > ROUNDS, `${readable.size} committed objects were compared`)
  t.ok(unfinished > 0, `${unfinished} unfinished objects were seen`)
})

/** The lines that the child has said before it was killed, which happens after `lines` of them. */
async function runUntilKilled (directory: string, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--conditions=@ropewalk/source', CHILD, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  let text = ''
  for await (const piece of child.stdout) {
    text += String(piece)
    if (text.split('\n').length > lines) child.kill('SIGKILL')
  }
  const [, signal] = await closed
  if (signal !== 'SIGKILL') throw new Error(`the child ended by itself: ${signal}`)
  return text.slice(0, text.lastIndexOf('\n')).split('\n')
}

async function digestOf (store: FragmentStore, id: string): Promise<string> {
  const reader = await store.read(id)
  const content = Buffer.alloc(reader.size)
  await reader.read(content, 0)
  await reader.close()
  return createHash('sha256').update(content).digest('hex')
}
