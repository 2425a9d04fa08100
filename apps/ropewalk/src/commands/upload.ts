import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatUuid } from '@ropewalk/framing'
import { upload as uploadReadme, uploadFinal, type DigestFile } from '@ropewalk/protocol-ipc-upload'
import type { Framing } from '@ropewalk/protocol-ipc-upload/codec'
import { nodeHashes, openUploadFile, readIdentity } from '@ropewalk/protocol-ipc-upload/node'
import { escapeName } from '@ropewalk/receive'
import { runBatch } from '../batch.ts'
import type { Context } from '../context.ts'
import { codeOf, fileError, messageOf, RopewalkError } from '../errors.ts'
import type { Exit } from '../exit-codes.ts'
import { formatBytes } from '../format.ts'
import { soFar } from '../kept.ts'
import { Report, type Result } from '../progress/report.ts'
import { loadNodeId, statePath } from '../state-directory.ts'
import { readToken } from '../token-file.ts'
import type { Transfer } from '../transfer.ts'
import { parseUploadAddress, parseUploadTarget } from '../upload-address.ts'
import { UploadRoute } from '../upload-route.ts'

export interface RouteFlags {
  readonly token: string
  readonly framing: 'stream6' | 'stream4'
  readonly concurrency: number
  readonly trust: boolean
  readonly json: boolean
}

export interface UploadFlags extends RouteFlags {
  readonly to: string
  readonly tag?: readonly string[] | undefined
  readonly profile: 'readme' | 'final'
}

/** On a socket of packets nothing else is meant. */
export function framingFor ({ to, from, framing }: { readonly to?: string, readonly from?: string, readonly framing: 'stream6' | 'stream4' }): Framing {
  return parseUploadAddress(to ?? from ?? '').transport === 'seqpacket' ? 'seqpacket' : framing
}

/** How often an upload that gets nothing done goes on by itself, and how long it waits before it does. Ours. */
const MAX_ATTEMPTS = 6
const FIRST_PAUSE_MS = 200

/** Uploads files, each a transfer of its own. What a server has acknowledged stays there, whatever becomes of the rest. */
export async function upload (context: Context, files: readonly string[], flags: UploadFlags): Promise<Exit> {
  const address = parseUploadTarget(flags.to)
  const token = await readToken(context, flags.token)
  const secret = await loadNodeId(statePath(context.env))
  await using route = await UploadRoute.open(context, address, flags)
  const report = new Report({ ...context, json: flags.json, expected: { files: files.length, bytes: await sizeOf(files) }, label: basename })
  const sender = new Sender(context, route, token, secret, flags, report)

  return await runBatch({
    items: files,
    nameOf: file => file,
    direction: 'send',
    concurrency: flags.concurrency,
    signal: context.signal,
    report,
    channels: () => route.channels,
    kept: count => files.length === 1
      ? `${formatBytes(sender.keptBytes)} of the file are kept there, and the same command sends the rest`
      : `${soFar(count, files.length, 'whole')}; ${formatBytes(sender.keptBytes)} of the rest are kept there, and the same command sends the rest`,
    work: async (file, transfer) => await sender.send(file, transfer)
  })
}

class Sender {
  readonly #context: Context
  readonly #route: UploadRoute
  readonly #token: string
  readonly #secret: string
  readonly #flags: UploadFlags
  readonly #report: Pick<Report, 'note' | 'present'>
  /** Bytes that the server has of what is not whole. */
  readonly #kept = new Map<string, number>()

  constructor (context: Context, route: UploadRoute, token: string, secret: string, flags: UploadFlags, report: Pick<Report, 'note' | 'present'>) {
    this.#context = context
    this.#route = route
    this.#token = token
    this.#secret = secret
    this.#flags = flags
    this.#report = report
  }

  get keptBytes (): number {
    return Array.from(this.#kept.values()).reduce((sum, bytes) => sum + bytes, 0)
  }

  async send (path: string, transfer: Transfer): Promise<Result> {
    await using source = await openUploadFile(path).catch((error: unknown) => { throw fileError(error) })
    transfer.started(source.size)
    let sent = 0
    let pauseMs = FIRST_PAUSE_MS
    for (let attempt = 1; ; attempt++) {
      try {
        const { id } = await this.#attempt(path, source, transfer, bytes => {
          sent += bytes
          attempt = 1
          pauseMs = FIRST_PAUSE_MS
        })
        this.#kept.delete(path)
        return uploaded(path, source, id, sent)
      } catch (error) {
        this.#context.signal.throwIfAborted()
        if (!PASSING.has(codeOf(error)) || attempt >= MAX_ATTEMPTS) throw error
        if (!this.#flags.json) this.#report.note(`${escapeName(path)}: ${escapeName(messageOf(error))}; it goes on with what is missing`)
        await sleep(pauseMs, undefined, { signal: this.#context.signal }).catch(() => { this.#context.signal.throwIfAborted() })
        pauseMs *= 2
      }
    }
  }

  /** Once over a channel of its own: sends what the server says it misses. */
  async #attempt (path: string, source: DigestFile, transfer: Transfer, onSent: (bytes: number) => void): Promise<{ id: string }> {
    const { tag: tags = [], profile } = this.#flags
    const framing = framingFor(this.#flags)
    const options = { token: this.#token, hashes: nodeHashes, signal: this.#context.signal, framing, tags }
    let there = 0
    const moved = (bytes: number): void => {
      there += bytes
      this.#kept.set(path, there)
      transfer.moved(there)
    }
    const onBlock = ({ bytes }: { readonly bytes: number }): void => {
      moved(bytes)
      onSent(bytes)
    }
    const channel = await this.#route.channel()
    if (profile === 'final') {
      const [result] = await uploadFinal(channel, [source], { ...options, onBlock })
      if (result?.present === true) moved(source.size)
      return { id: source.digest }
    }
    const fid = this.#fid(source, tags)
    const { complete } = await uploadReadme(channel, [source], { ...options, fid, onOffer: ({ missingBytes }) => {
      const before = source.size - missingBytes
      // What an attempt before this one has moved is counted already.
      this.#report.present(Math.max(0, before - transfer.bytes))
      moved(before)
    }, onBlock })
    if (!complete) throw new RopewalkError('ERR_INCOMPLETE', 'the server has acknowledged every block, and did not say that the file is whole')
    return { id: fid }
  }

  /** The same for the same file of the same user from here, so that the same command goes on where it broke off; for nobody else. */
  #fid ({ name, size, digest }: DigestFile, tags: readonly string[]): string {
    const { login, uid } = readIdentity(this.#token) ?? {}
    const bytes = createHash('sha256').update(JSON.stringify(['ropewalk upload', this.#secret, login, uid, name, size, digest, tags])).digest().subarray(0, 16)
    bytes[6] = (bytes[6] as number) & 0x0f | 0x40
    bytes[8] = (bytes[8] as number) & 0x3f | 0x80
    return formatUuid(bytes)
  }
}

/** What a new connection may help against. */
const PASSING: ReadonlySet<string> = new Set(['ERR_INTERRUPTED', 'ERR_TRUNCATED', 'ERR_TIMEOUT', 'ERR_UNREACHABLE', 'ERR_CONNECTION_LOST', 'ERR_CONNECTION_RESET', 'ERR_CHANNEL_RESET', 'ERR_ABORTED'])

function uploaded (path: string, { name, size, digest }: DigestFile, id: string, sent: number): Result {
  const shown = escapeName(path)
  return {
    record: { event: 'uploaded', name, sha256: digest, size, id, sent },
    row: [digest, String(size), shown],
    lines: [`${shown} (${formatBytes(size)}${sent < size ? `, ${formatBytes(size - sent)} of it there before` : ''})`, `  sha256 ${digest}`]
  }
}

async function sizeOf (files: readonly string[]): Promise<number> {
  let bytes = 0
  for (const file of files) {
    const found = await stat(file).catch(() => undefined)
    if (found?.isFile() === true) bytes += found.size
  }
  return bytes
}
