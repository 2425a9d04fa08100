/**
 * Extractions of archives that are killed with SIGKILL, again and again, and go on: from a web server, which is asked for what is missing, and from a file.
 * Each is killed half of `ROPEWALK_ROUNDS` times.
 */
import { execFile } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { open, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { decodeArchive } from '@ropewalk/protocol-casync'
import t, { type Test } from 'tap'
import { casync, isThere, makeTree } from './casync-scene.ts'
import { Command, folder } from './processes.ts'

const ROUNDS = Math.ceil(Number(process.env['ROPEWALK_ROUNDS'] ?? 10) / 2)

/** Small files that are being written at most, and as many again of which nobody has noted that they are. */
const BEING_WRITTEN = 2 * 16

/** Bytes of an archive here that are read at a time, which are one mark. */
const READ_BYTES = 1024 * 1024

/** Extractions that may be quicker than whoever wants to kill them. */
const MOST_QUICK = 20

interface Scene {
  readonly at: string
  readonly digest: unknown
  /** Where the node of each file begins in the archive. */
  readonly files: ReadonlyArray<{ readonly path: string, readonly offset: number }>
}

async function scene (t: Test): Promise<Scene> {
  const at = await folder(t)
  await makeTree(at)
  const digest = (await casync(at, ['make', '--with=unix', 't.catar', 'src'])).fact('made')['digest']
  const files: Array<{ readonly path: string, readonly offset: number }> = []
  for await (const part of decodeArchive()(createReadStream(join(at, 't.catar')))) if (part.kind === 'node' && part.node.type === 'file') files.push({ path: part.node.path, offset: part.offset })
  return { at, digest, files }
}

/** Begins the extraction of `name`, kills it when the file has come that stands there in the archive, and says where the next one may begin at the latest. */
async function killAt ({ at, files }: Scene, name: string, index: number): Promise<{ readonly killed: boolean, readonly made: number }> {
  const command = new Command(['casync', 'extract', name, 'out', '--json'], { state: at, cwd: at })
  let ended = false
  void command.ended.then(() => { ended = true })
  while (!ended && !await isThere(join(at, '.#out.part/tree/new', files[index]?.path ?? ''))) await new Promise(resolve => { setImmediate(resolve) })
  command.kill('SIGKILL')
  const { signal, stdout, stderr } = await command.ended
  if (signal !== 'SIGKILL' && !stdout.includes('"event":"extracted"')) throw new Error(stderr)
  return { killed: signal === 'SIGKILL', made: files[index - BEING_WRITTEN]?.offset ?? 0 }
}

async function isTheTree (t: Test, { at, digest }: Scene): Promise<void> {
  t.match((await casync(at, ['digest', '--with=unix', 'out'])).fact('digest'), { digest })
  t.same((await readdir(at)).filter(name => name.startsWith('.')), [], 'and nothing is left over')
}

interface ArchiveServer {
  readonly url: string
  /** Where each answer began, and how much of it was taken. */
  readonly answers: Array<{ readonly start: number, bytes: number }>
  /** Bytes up to which the archive is given; those behind wait for good. */
  until: number
  etag: string | undefined
  ranges: boolean
}

/** A web server for one archive. */
async function archiveServer (t: Test, path: string): Promise<ArchiveServer> {
  const scripted: ArchiveServer = { url: '', answers: [], until: Infinity, etag: '"one"', ranges: true }
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    readFile(path).then(bytes => {
      const wanted = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1]
      const start = scripted.ranges ? Number(wanted ?? 0) : 0
      const answer = { start, bytes: 0 }
      scripted.answers.push(answer)
      response.writeHead(start > 0 ? 206 : 200, {
        'content-length': bytes.length - start,
        ...start > 0 && { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` },
        ...scripted.etag !== undefined && { etag: scripted.etag }
      })
      const step = (from: number): void => {
        const piece = bytes.subarray(from, Math.min(from + 16_384, scripted.until))
        if (from >= bytes.length) return void response.end()
        if (piece.length === 0) return
        response.write(piece, error => {
          if (error != null) return
          answer.bytes += piece.length
          step(from + piece.length)
        })
      }
      step(start)
    }, () => response.writeHead(404).end())
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.closeAllConnections(); server.close() })
  return Object.assign(scripted, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/t.catar` })
}

t.test(`the extraction of an archive from a web server killed ${ROUNDS} times asks for what is missing`, async t => {
  const at = await scene(t)
  const server = await archiveServer(t, join(at.at, 't.catar'))
  const { size } = await stat(join(at.at, 't.catar'))
  let mostStart = 0
  for (let round = 0; round < ROUNDS; round++) {
    const index = Math.floor((round + Math.random()) * (at.files.length - BEING_WRITTEN) / ROUNDS)
    // It is not at its end before it is killed.
    server.until = (at.files[index + BEING_WRITTEN]?.offset ?? size) - 1
    server.answers.length = 0
    const { killed, made } = await killAt(at, server.url, index)
    t.ok(killed, `round ${round}`)
    // The first answer says which file it is.
    for (const { start } of server.answers.slice(1)) t.ok(start >= mostStart, `begins at ${start}, not before ${mostStart}`)
    mostStart = Math.max(mostStart, made)
  }
  server.until = Infinity
  server.answers.length = 0
  const last = await casync(at.at, ['extract', server.url, 'out'])
  t.equal(last.code, 0, last.stderr)
  const [first, second] = server.answers
  t.equal(first?.start, 0, 'which file is it?')
  t.ok((second?.start ?? 0) >= mostStart && mostStart > 0, `begins at ${second?.start}, not before ${mostStart}`)
  t.match(last.fact('extracted'), { fetched: size - (second?.start ?? 0) })
  await isTheTree(t, at)
})

t.test('an archive that is another one, or that nobody says is the same, begins at its beginning', async t => {
  const at = await scene(t)
  const server = await archiveServer(t, join(at.at, 't.catar'))
  const half = Math.floor(at.files.length / 2)
  const { size } = await stat(join(at.at, 't.catar'))
  for (const [first, second, ranges, fetched] of [['"one"', '"two"', true, size], [undefined, undefined, true, size], ['"one"', '"one"', false, undefined]] as const) {
    Object.assign(server, { etag: first, ranges, until: size - 1 })
    const { killed, made } = await killAt(at, server.url, half)
    t.ok(killed)
    Object.assign(server, { etag: second, until: Infinity })
    const last = await casync(at.at, ['extract', server.url, 'out'])
    t.equal(last.code, 0, last.stderr)
    if (fetched === undefined) t.ok((last.fact('extracted')['fetched'] as number) <= size - made, 'a server without ranges is listened to until there')
    else t.match(last.fact('extracted'), { fetched })
    await isTheTree(t, at)
    await promisify(execFile)('rm', ['-r', join(at.at, 'out')])
  }
})

t.test(`the extraction of an archive here killed ${ROUNDS} times does not read again what it has made of it`, async t => {
  const at = await scene(t)
  const path = join(at.at, 't.catar')
  await writeFile(join(at.at, 'before'), '')
  await promisify(execFile)('touch', ['-r', path, join(at.at, 'before')])
  const { size } = await stat(path)
  let last = 0
  for (let [round, quick] = [0, 0]; round < ROUNDS; round++) {
    const { killed, made } = await killAt(at, path, Math.floor((round + Math.random()) * at.files.length / ROUNDS))
    if (!killed && last > 0) break
    if (!killed) {
      // It was done before we saw it begin, and nothing of the archive is gone: once more.
      if (++quick === MOST_QUICK) throw new Error(`${quick} extractions were done before they could be killed`)
      await promisify(execFile)('rm', ['-r', join(at.at, 'out')])
      round--
      continue
    }
    // Whoever reads that again finds something else.
    last = Math.max(last, made - READ_BYTES)
    const archive = await open(path, 'r+')
    await archive.write(Buffer.alloc(last, 0xa5), 0, last, 0)
    await archive.close()
    await promisify(execFile)('touch', ['-r', join(at.at, 'before'), path])
  }
  t.ok(last > 0, 'what was made of it is gone from the archive')
  if (!await isThere(join(at.at, 'out'))) {
    const ended = await casync(at.at, ['extract', path, 'out'])
    t.equal(ended.code, 0, ended.stderr)
    t.ok((ended.fact('extracted')['fetched'] as number) <= size - last)
  }
  await isTheTree(t, at)
})
