/**
 * The interop task: our yamux with hashicorp/yamux in Go, over tcp, in both roles. Prints what it measured, fails on the
 * first thing that is wrong, and skips, loudly, where Go is absent.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Bytes, Channel, Connection, Source } from '@ropewalk/interface'
import { SEND_BUFFER_BYTES } from '@ropewalk/mux'
import { collect, counting, pattern, patternAt, verify } from '@ropewalk/testing'
import { dial, listen } from '@ropewalk/transport-tcp'
import { INITIAL_WINDOW_BYTES, yamux, type YamuxMuxer } from '../src/index.ts'

const MIB = 1024 * 1024
const HERE = import.meta.dirname
/** What a writer may get rid of while its reader sleeps: a window, what our sink holds, and a chunk in hand; what the sockets hold is not credited. */
const SLEEPER_BYTES = INITIAL_WINDOW_BYTES + SEND_BUFFER_BYTES + 2 * 65_536

const go = ['go', '/usr/local/go/bin/go'].find(each => spawnSync(each, ['version']).status === 0)
if (go === undefined) {
  console.log('\n  !!! INTEROP SKIPPED: no Go here, so nothing was proved against hashicorp/yamux !!!\n')
  process.exit(0)
}

const folder = mkdtempSync(join(tmpdir(), 'ropewalk-interop-'))
const program = join(folder, 'interop')
let child: ChildProcess | undefined
try {
  const built = spawnSync(go, ['build', '-o', program, '.'], { cwd: HERE, stdio: 'inherit', env: { ...process.env, GOFLAGS: '-mod=mod' } })
  if (built.status !== 0) throw new Error('the Go program does not build')

  child = spawn(program, ['server'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const port = Number(await new Promise<string>(resolve => createInterface({ input: child?.stdout as NonNullable<ChildProcess['stdout']> }).once('line', resolve)))
  await play('ours as client, Go as server', await dial({ transport: 'tcp', host: '127.0.0.1', port }), 'client')
  child.kill()

  const listener = await listen({ transport: 'tcp', host: '127.0.0.1', port: 0 })
  const address = listener.address as { port: number }
  child = spawn(program, ['client', `127.0.0.1:${address.port}`], { stdio: ['ignore', 'inherit', 'inherit'] })
  for await (const connection of listener) {
    await play('ours as server, Go as client', connection, 'server')
    break
  }
  await listener.close()
  console.log('interop: all of it held')
} finally {
  child?.kill()
  rmSync(folder, { recursive: true, force: true })
}

async function play (title: string, connection: Connection, role: 'client' | 'server'): Promise<void> {
  console.log(title)
  const muxer = yamux(connection, { role })
  // What Go opens is echoed.
  void (async () => { for await (const channel of muxer) channel.sink(channel.source).catch(() => {}) })().catch(() => {})

  await timed('echo of 64 MiB', 64, async () => { await echo(muxer, 64 * MIB, 1) })
  await timed('echo of 100 streams of 1 MiB at once', 100, async () => { await Promise.all(Array.from({ length: 100 }, (_, index) => echo(muxer, MIB, index))) })
  await timed('the same, opened by Go', 100, async () => { await order(muxer, 100, MIB) })
  await timed('1,000 streams of 100 bytes at once, opened by Go, which waits for our acknowledgements', 0, async () => { await order(muxer, 1000, 100) })
  await timed('3,000 streams of 100 bytes, 32 at a time', 0, async () => {
    let left = 3000
    await Promise.all(Array.from({ length: 32 }, async () => { while (left-- > 0) await echo(muxer, 100, left) }))
  })
  await timed('half-close: we end, 1 MiB still comes', 0, async () => { await halfClose(muxer) })
  await timed('2,000 times end behind the last byte, at once', 0, async () => { for (let turn = 0; turn < 2000; turn++) await echo(muxer, 1, turn) })
  console.log(`  Go sleeps: it was offered 64 MiB and took ${await sleeper(muxer)} bytes`)
  console.log(`  we sleep: Go wrote ${await sleeping(muxer)} bytes`)
  console.log(`  ping: ${(await muxer.ping()).toFixed(2)} ms`)
  const aborted = await muxer.open()
  aborted.abort(new Error('changed my mind'))
  await echo(muxer, 1000, 9)
  if (muxer.size > 2) throw new Error(`${muxer.size} channels are left, 2 are asleep`)
  muxer.abort(new Error('done'))
}

async function timed (what: string, mebibytes: number, run: () => Promise<void>): Promise<void> {
  const started = performance.now()
  await run()
  const seconds = (performance.now() - started) / 1000
  console.log(`  ${what}: ${seconds.toFixed(2)} s${mebibytes > 0 ? `, ${Math.round(mebibytes * MIB / 1e6 / seconds)} MB/s each way` : ''}`)
}

/** A channel to Go that begins with `mode`. */
async function ask (muxer: YamuxMuxer, mode: string, content: Source<Bytes> = []): Promise<{ channel: Channel, sent: Promise<void> }> {
  const channel = await muxer.open()
  const sent = channel.sink((async function * () {
    yield Uint8Array.of(mode.charCodeAt(0))
    yield * content
  })())
  sent.catch(() => {})
  return { channel, sent }
}

async function echo (muxer: YamuxMuxer, bytes: number, seed: number): Promise<void> {
  const { channel, sent } = await ask(muxer, 'e', pattern(bytes, seed, 65_536))
  await Promise.all([sent, verify(channel.source, bytes, seed)])
}

async function order (muxer: YamuxMuxer, streams: number, bytes: number): Promise<void> {
  const what = new Uint8Array(8)
  new DataView(what.buffer).setUint32(0, streams)
  new DataView(what.buffer).setUint32(4, bytes)
  const { channel } = await ask(muxer, 'o', [what])
  const answer = await collect(channel.source)
  if (answer[0] !== 107) throw new Error('Go did not get its bytes back')
}

async function halfClose (muxer: YamuxMuxer): Promise<void> {
  const { channel } = await ask(muxer, 'h', [patternAt(0, 100_000)])
  const answer = await collect(channel.source)
  const count = new DataView(answer.buffer, answer.byteOffset).getBigUint64(0)
  if (answer.length !== 8 + MIB || count !== 100_000n) throw new Error(`${count} bytes arrived, ${answer.length} came`)
}

/** How much of 64 MiB our sink lets go of while Go does not read. */
async function sleeper (muxer: YamuxMuxer): Promise<number> {
  const offered = counting(pattern(64 * MIB, 1, 65_536))
  await ask(muxer, 's', offered)
  await stands(async () => offered.bytes)
  if (offered.bytes > SLEEPER_BYTES) throw new Error(`${offered.bytes} > ${SLEEPER_BYTES} bytes`)
  return offered.bytes
}

/** How much Go can write while we do not read. */
async function sleeping (muxer: YamuxMuxer): Promise<number> {
  const { channel } = await ask(muxer, 'w')
  const source = channel.source[Symbol.asyncIterator]()
  const first = (await source.next()).value?.byteLength ?? 0
  const written = async (): Promise<number> => {
    const { channel } = await ask(muxer, 'c')
    const answer = await collect(channel.source)
    return Number(new DataView(answer.buffer, answer.byteOffset).getBigUint64(0))
  }
  // Writes count when they return: the one that waits has got rid of a part.
  const bytes = await stands(written)
  if (bytes > first + INITIAL_WINDOW_BYTES) throw new Error(`${bytes} > ${first + INITIAL_WINDOW_BYTES} bytes`)
  await echo(muxer, MIB, 3)
  const later = await written()
  if (later !== bytes) throw new Error(`${later} > ${bytes} bytes`)
  return bytes
}

/** The value at which `measure` stands still for half a second. */
async function stands (measure: () => Promise<number>): Promise<number> {
  for (let value = await measure(); ;) {
    await new Promise(resolve => setTimeout(resolve, 500))
    const next = await measure()
    if (next === value) return value
    value = next
  }
}
