/**
 * A client of its own: uploads the file `argv[3]` to the port `argv[2]` again and again, from the run `argv[5]` to the run
 * `argv[6]`, each by a journal in the folder `argv[4]`, until it is killed. What is stored is read back, compared and removed.
 *
 *     acked RUN BYTES
 *     stored RUN
 *     done RUN
 */
import { createHash } from 'node:crypto'
import { writeSync } from 'node:fs'
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dial } from '@ropewalk/transport-tcp'
import { connectNode, Pool, putPersistent, remove, retrieve, type UploadJournal, type UploadRecord } from '../src/index.ts'

const [port = '', path = '', journals = '', first = '', last = ''] = process.argv.slice(2)
const NODE = 'a0a1a2a3a4a5a6a7a8a9aaabacadaeaf'
await using pool = new Pool({
  backoffFirstMs: 20,
  backoffMostMs: 200,
  dial: async (_, options) => connectNode(await dial({ transport: 'tcp', host: '127.0.0.1', port: Number(port) }, options), { nodeId: '11223344556647889900aabbccddeeff' })
})
await using file = await open(path)
const { size } = await file.stat()
const wanted = await digestOf(file.createReadStream({ start: 0, autoClose: false }))

for (let run = Number(first); run <= Number(last); run++) {
  const content = { read: async (into: Uint8Array, position: number) => (await file.read(into, 0, into.length, position)).bytesRead }
  const { chunkId } = await putPersistent((operation, options) => pool.use(NODE, operation, options), content, {
    size, journal: journalAt(join(journals, String(run))), journalBytes: 4_000_000, backoffFirstMs: 20, backoffMostMs: 200,
    onEvent: event => { if (event.event === 'progress') say(`acked ${run} ${event.bytes}`) }
  })
  say(`stored ${run}`)
  await pool.use(NODE, async connection => {
    if (await digestOf(retrieve(connection, chunkId)) !== wanted) throw new Error(`${chunkId} is not what was uploaded`)
    await remove(connection, chunkId)
  })
  say(`done ${run}`)
}

/** In one file, which is exchanged at once. */
function journalAt (path: string): UploadJournal {
  return {
    load: async () => await readFile(path, 'utf8').then(text => JSON.parse(text) as UploadRecord, () => undefined),
    save: async record => {
      await writeFile(`${path}.new`, JSON.stringify(record))
      await rename(`${path}.new`, path)
    },
    clear: async () => await rm(path, { force: true })
  }
}

async function digestOf (source: AsyncIterable<Uint8Array | Iterable<Uint8Array>>): Promise<string> {
  const hash = createHash('sha256')
  for await (const bytes of source) for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) hash.update(piece)
  return hash.digest('hex')
}

function say (line: string): void {
  writeSync(1, `${line}\n`)
}
