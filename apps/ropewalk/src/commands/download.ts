import { once } from 'node:events'
import { downloadFinal } from '@ropewalk/protocol-ipc-upload'
import { nodeHashes } from '@ropewalk/protocol-ipc-upload/node'
import { escapeName, openReceiver, type Receiver } from '@ropewalk/receive'
import { runBatch } from '../batch.ts'
import type { Context } from '../context.ts'
import { parseDestination } from '../destination.ts'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import type { Exit } from '../exit-codes.ts'
import { formatBytes } from '../format.ts'
import { keptWhole } from '../kept.ts'
import { Report, type Result } from '../progress/report.ts'
import { readToken } from '../token-file.ts'
import type { Transfer } from '../transfer.ts'
import { parseUploadTarget } from '../upload-address.ts'
import { UploadRoute } from '../upload-route.ts'
import { framingFor, type RouteFlags } from './upload.ts'

export interface DownloadFlags extends RouteFlags {
  readonly from: string
  readonly output?: string | undefined
  readonly tag?: readonly string[] | undefined
  readonly force: boolean
}

/** Bytes gathered for a write. Ours: blocks have 1000. */
const GATHER_BYTES: number = 256 * 1024

/** Where the content of one file goes. */
interface Target {
  open (name: string, size: number): Promise<void>
  write (bytes: Uint8Array): Promise<void>
  /** The path that it got; undefined on standard output. */
  finish (): Promise<string | undefined>
  abort (): Promise<void>
}

/** Fetches what was uploaded, by its SHA-256 or its name. */
export async function download (context: Context, wanted: readonly string[], flags: DownloadFlags): Promise<Exit> {
  const address = parseUploadTarget(flags.from)
  const token = await readToken(context, flags.token)
  const destination = await parseDestination(flags.output, wanted.length)
  await using route = await UploadRoute.open(context, address, flags)
  await using receiver = destination.kind === 'stdout' ? undefined : await openReceiver(destination.root)
  const report = new Report({ ...context, json: flags.json, dataOnStdout: receiver === undefined, expected: { files: wanted.length } })

  return await runBatch({
    items: wanted,
    nameOf: item => item,
    direction: 'receive',
    concurrency: flags.concurrency,
    signal: context.signal,
    report,
    channels: () => route.channels,
    kept: count => keptWhole(count, wanted.length, 'whole', what => `The same command fetches ${what}`),
    work: async (item, transfer) => {
      const own = destination.kind === 'files' ? destination.name : undefined
      return await fetchOne(item, transfer, receiver === undefined ? toStdout(context) : toFile(receiver, own, flags.force, context.signal))
    }
  })

  async function fetchOne (item: string, transfer: Transfer, target: Target): Promise<Result> {
    const by = /^[\da-f]{64}$/i.test(item) ? { digest: item.toLowerCase() } : { name: item }
    const tags = flags.tag === undefined ? {} : { tags: flags.tag }
    try {
      const found = await downloadFinal(await route.channel(), { ...by, ...('name' in by ? tags : {}) }, async (bytes, position) => {
        await target.write(bytes)
        transfer.moved(position + bytes.length)
      }, {
        token,
        hashes: nodeHashes,
        framing: framingFor(flags),
        signal: context.signal,
        maxFileBytes: Number.MAX_SAFE_INTEGER,
        onFound: async ({ name, size }) => {
          transfer.started(Number(size))
          await target.open(name, Number(size))
        }
      })
      const path = await target.finish()
      return downloaded(found.digest, Number(found.size), found.name, path)
    } catch (error) {
      await target.abort()
      throw error
    }
  }
}

function toFile (receiver: Receiver, own: string | undefined, force: boolean, signal: AbortSignal): Target {
  let writer: Awaited<ReturnType<Receiver['file']>> | undefined
  const gathered = new Uint8Array(GATHER_BYTES)
  let filled = 0
  const flush = async (): Promise<void> => {
    await writer?.write(gathered.subarray(0, filled))
    filled = 0
  }
  return {
    // The name comes from who uploaded it: its last part, and what is no name is refused.
    open: async (name, size) => { writer = await receiver.file(own ?? lastPart(name), { size, overwrite: force ? 'replace' : 'refuse', signal }).catch(existing) },
    write: async bytes => {
      if (filled + bytes.length > gathered.length) await flush()
      gathered.set(bytes, filled)
      filled += bytes.length
    },
    finish: async () => {
      await flush()
      return (await writer?.finish().catch(existing))?.path
    },
    abort: async () => { await writer?.abort() }
  }
}

function existing (error: unknown): never {
  if (codeOf(error) !== 'ERR_EXISTS') throw error
  throw new RopewalkError('ERR_EXISTS', `${messageOf(error)}; --force replaces it`, { cause: error })
}

function lastPart (name: string): string {
  return name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1)
}

function toStdout ({ stdout, signal }: Context): Target {
  return {
    open: async () => {},
    write: async bytes => { if (!stdout.write(bytes)) await once(stdout, 'drain', { signal }) },
    finish: async () => undefined,
    abort: async () => {}
  }
}

function downloaded (digest: string, size: number, name: string, path: string | undefined): Result {
  const shown = path === undefined ? 'standard output' : escapeName(path)
  return {
    record: { event: 'downloaded', name, sha256: digest, size, path: path ?? null },
    row: [digest, String(size), shown],
    lines: [`${escapeName(name)} (${formatBytes(size)}), ${path === undefined ? 'to' : 'in'} ${shown}`, `  sha256 ${digest}`]
  }
}
