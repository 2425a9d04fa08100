import { stat } from 'node:fs/promises'
import { fetchChunks, openIndex, storeMissing, takeMissing, type IndexItem } from '@ropewalk/protocol-casync'
import { escapeName } from '@ropewalk/receive'
import { MAX_INTAKE_CHUNK_BYTES } from '@ropewalk/store-castr'
import { named } from '../casync/content.ts'
import { openInput, type StoreFlags } from '../casync/input.ts'
import { kindOf, type Kind } from '../casync/kind.ts'
import { defaultStore, nameOf, parseLocator, type Locator } from '../casync/locator.ts'
import { NewFile } from '../casync/new-file.ts'
import { diskStore } from '../casync/open.ts'
import { withPhases } from '../casync/outcome.ts'
import type { Context } from '../context.ts'
import { RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { formatBytes } from '../format.ts'

export interface PullFlags extends StoreFlags {
  readonly what?: Kind | undefined
  readonly toStore?: string | undefined
  readonly json: boolean
}

/** Ids that are remembered, lest what comes again in one index is looked for again. Ours. */
const REMEMBERED = 131_072

/** Copies an index and the chunks that are not here yet, or an archive. The index appears when everything is there. */
export async function casyncPull (context: Context, from: string, to: string, flags: PullFlags): Promise<Exit> {
  const kind = await kindOf(from, flags.what)
  if (kind === 'blob' || kind === 'directory') throw new RopewalkError('ERR_USAGE', 'an index or an archive is needed', { text: from })
  const path = await destinationOf(from, to)
  return await withPhases(context, flags, async phases => {
    const archive = kind === 'archive'
    await using input = await openInput(context, from, flags, { onTrouble: phases.trouble, archive })
    const reading = phases.begin(archive ? 'archive' : 'index')
    const file = await NewFile.open(path).catch((error: unknown) => { throw named(error, context) })
    let bytes = 0
    let chunks = 0
    let fetched = 0
    async function * copied (): AsyncGenerator<Uint8Array, void, undefined> {
      for await (const piece of input.bytes) {
        await file.write(piece)
        bytes += piece.length
        reading.add(piece.length)
        yield piece
      }
      reading.end()
    }
    try {
      if (archive) for await (const _ of copied()) continue
      else await takeChunks(await openIndex(copied()))
      await file.commit()
    } catch (error) {
      await file.discard()
      throw named(error, context)
    }
    phases.result({
      record: { event: 'pulled', path, bytes, chunks, fetched },
      row: [escapeName(path), String(bytes), String(chunks), String(fetched)],
      lines: [`${escapeName(path)}  ${formatBytes(bytes)}${archive ? '' : `, ${chunks} chunks, ${formatBytes(fetched)} of them fetched`}`]
    })
    return Exit.done

    async function takeChunks ({ header, items }: Awaited<ReturnType<typeof openIndex>>): Promise<void> {
      const { env, signal } = context
      await using store = diskStore(storePath(path, flags.toStore, env), { env, signal, digest: header.digest, maxChunkBytes: header.sizes.max, lease: true })
      const fetching = phases.begin('chunks')
      const seen = new Set<string>()
      async function * lacking (): AsyncGenerator<IndexItem, void, undefined> {
        for await (const item of items) {
          chunks++
          if (seen.has(item.id) || await store.has(item.id, { signal })) continue
          if (seen.size < REMEMBERED) seen.add(item.id)
          yield item
        }
      }
      for await (const length of kept()) {
        fetched += length
        fetching.add(length)
      }
      fetching.end()

      /** Lengths of chunks that are there now; at the end all of them are durable. */
      async function * kept (): AsyncGenerator<number, void, undefined> {
        const { far } = input
        if (far === undefined || header.sizes.max > MAX_INTAKE_CHUNK_BYTES) {
          for await (const { bytes } of storeMissing(store, { signal })(fetchChunks(input.chunks, { signal })(lacking()))) yield bytes.length
          return
        }
        const inlet = await store.inlet({ digest: header.digest })
        try {
          for await (const { start, end } of takeMissing(far, inlet, store, { signal })(lacking())) yield end - start
          await inlet.sync()
          await store.sync()
        } finally {
          await inlet.close()
        }
      }
    }
  }, { kept: kind === 'archive' ? 'nothing of the archive is kept; the same command begins anew' : 'the chunks that came stay in the store; the same command fetches the rest' })
}

async function destinationOf (from: string, to: string): Promise<string> {
  const locator = parseLocator(to)
  if (locator.kind !== 'file') throw new RopewalkError('ERR_USAGE', 'a path on this machine', { text: to, advice: ['ropewalk casync push goes the other way.'] })
  const folder = to.endsWith('/') || (await stat(to).catch(() => undefined))?.isDirectory() === true
  return folder ? `${to.replace(/\/$/, '')}/${nameOf(parseLocator(from))}` : to
}

function storePath (index: string, store: string | undefined, env: NodeJS.ProcessEnv): string {
  const locator: Locator = store === undefined ? defaultStore({ kind: 'file', path: index }, env) : parseLocator(store)
  if (locator.kind !== 'file') throw new RopewalkError('ERR_USAGE', 'chunks are put into a folder on this machine', { text: store ?? '', advice: ['--to-store=DIRECTORY names one.'] })
  return locator.path
}
