import { createHash } from 'node:crypto'
import type { ChunkId } from '@ropewalk/interface'
import { openIndex, type IndexItem } from '@ropewalk/protocol-casync'
import { fileContent, named } from '../casync/content.ts'
import { openInput, type StoreFlags } from '../casync/input.ts'
import { kindOf, type Kind } from '../casync/kind.ts'
import { withPhases } from '../casync/outcome.ts'
import type { Context } from '../context.ts'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { formatBytes } from '../format.ts'
import { inParallel } from '../parallel.ts'
import { HASHES } from './casync-make.ts'

export interface VerifyFlags extends StoreFlags {
  readonly what?: Kind | undefined
  readonly json: boolean
}

/** Chunks that are looked at together. Ours. */
const TOGETHER = 512
const AT_ONCE = 16

interface Findings {
  chunks: number
  missing: number
  damaged: number
  bytes: number
}

/** Reads an index and every chunk that it names; with a file, the file in place of the stores. Exits with 1 when something is wrong. */
export async function casyncVerify (context: Context, index: string, path: string | undefined, flags: VerifyFlags): Promise<Exit> {
  const kind = await kindOf(index, flags.what)
  if (kind !== 'blob-index' && kind !== 'archive-index') throw new RopewalkError('ERR_USAGE', 'an index is needed', { text: index })
  return await withPhases(context, flags, async phases => {
    await using input = await openInput(context, index, flags, { onTrouble: phases.trouble, heal: false })
    const { header, items } = await openIndex(input.bytes).catch((error: unknown) => { throw named(error, context) })
    const findings: Findings = { chunks: 0, missing: 0, damaged: 0, bytes: 0 }
    const checking = phases.begin('checking')
    const tell = (what: 'missing' | 'damaged', { id, start, end }: IndexItem, code: string, message: string): void => {
      findings[what]++
      const where = `bytes ${start} to ${end - 1}`
      phases.result({ record: { event: what, chunk: id, start, end, code, message }, row: [what, id, String(start), String(end - start)], lines: [`${what}  ${id}`, `  ${where}: ${message}`] })
    }
    try {
      if (path === undefined) {
        await stores(async (item, signal) => {
          const chunk = await input.chunks.get(item.id, { length: item.end - item.start, signal })
          return chunk?.bytes.length
        })
      } else await file(path)
    } catch (error) {
      throw named(error, context)
    }
    checking.end()
    const { chunks, missing, damaged, bytes } = findings
    phases.result({
      record: { event: 'verified', name: index, digest: header.digest, ...findings },
      row: ['verified', String(chunks), String(missing), String(damaged)],
      lines: [`${chunks} chunks, ${formatBytes(bytes)}: ${missing + damaged === 0 ? 'all as they should be' : `${missing} missing, ${damaged} damaged`}`]
    })
    return missing + damaged === 0 ? Exit.done : Exit.failed

    async function stores (look: (item: IndexItem, signal: AbortSignal) => Promise<number | undefined>): Promise<void> {
      const seen = new Set<ChunkId>()
      for await (const group of groups(items, TOGETHER)) {
        const fresh = group.filter(({ id }) => !seen.has(id) && seen.add(id).size > 0)
        findings.chunks += group.length
        await inParallel(fresh, AT_ONCE, context.signal, async item => {
          try {
            const length = await look(item, context.signal)
            if (length === undefined) tell('missing', item, 'ERR_CHUNK_MISSING', 'no store has it')
            findings.bytes += length ?? 0
            checking.add(length ?? 0)
          } catch (error) {
            if (!DAMAGE.has(codeOf(error))) throw error
            tell('damaged', item, codeOf(error), messageOf(error))
          }
        })
        context.signal.throwIfAborted()
      }
    }

    async function file (name: string): Promise<void> {
      const { size, bytes } = await fileContent(context, name)
      const reader = new Cutter(bytes)
      for await (const item of items) {
        const piece = await reader.take(item.end - item.start)
        findings.chunks++
        findings.bytes += piece.length
        checking.add(piece.length)
        if (piece.length < item.end - item.start) tell('missing', item, 'ERR_INCOMPLETE', `the file ends at ${size ?? item.start + piece.length}`)
        else if (createHash(HASHES[header.digest]).update(piece).digest('hex') !== item.id) tell('damaged', item, 'ERR_CHUNK_DAMAGED', 'the file has something else there')
      }
      const rest = await reader.take(1)
      if (rest.length > 0) {
        findings.damaged++
        phases.result({ record: { event: 'damaged', code: 'ERR_SIZE', message: 'the file goes on behind the blob' }, row: ['damaged', '-', String(findings.bytes), ''], lines: ['the file goes on behind the blob'] })
      }
      await reader.close()
    }
  })
}

const DAMAGE: ReadonlySet<string> = new Set(['ERR_CHUNK_DAMAGED', 'ERR_CHUNK_SIZE'])

async function * groups<T> (items: AsyncIterable<T>, size: number): AsyncGenerator<T[], void, undefined> {
  let group: T[] = []
  for await (const item of items) {
    group.push(item)
    if (group.length < size) continue
    yield group
    group = []
  }
  if (group.length > 0) yield group
}

/** Bytes in pieces of asked lengths. */
class Cutter {
  readonly #source: AsyncIterator<Uint8Array>
  #held: Uint8Array = new Uint8Array()

  constructor (source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Fewer only at the end. */
  async take (length: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = []
    let missing = length
    while (missing > 0) {
      if (this.#held.length === 0) {
        const { done, value } = await this.#source.next()
        if (done === true) break
        this.#held = value
      }
      const piece = this.#held.subarray(0, missing)
      this.#held = this.#held.subarray(piece.length)
      pieces.push(piece)
      missing -= piece.length
    }
    return pieces.length === 1 ? pieces[0] as Uint8Array : Buffer.concat(pieces)
  }

  async close (): Promise<void> {
    await this.#source.return?.()
  }
}
