/**
 * `put` of what is to outlive something, or to lie on several nodes.
 *
 * @module
 */
import { stat } from 'node:fs/promises'
import { basename, join, resolve, sep } from 'node:path'
import { escapeName } from '@ropewalk/receive'
import { noteObjectName } from '../activity/object-names.ts'
import { formatId } from '../arguments.ts'
import { runBatch } from '../batch.ts'
import type { Context } from '../context.ts'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import type { Exit } from '../exit-codes.ts'
import { formatBytes, formatDuration } from '../format.ts'
import { keptWhole, soFar } from '../kept.ts'
import { Nodes } from '../nodes.ts'
import { HashedFile } from '../parts/hashed-file.ts'
import { formatManifest, MANIFEST_SUFFIX, nameInManifest, parseManifest, type Part } from '../parts/manifest.ts'
import { writeWhole } from '../parts/new-file.ts'
import { Journal, type JournalEntry } from '../parts/upload-journal.ts'
import { reserveParts, tagOf, takeBack, uploadParts } from '../parts/upload.ts'
import { Report, type Result } from '../progress/report.ts'
import { nodeAddress } from '../session.ts'
import { spool } from '../spool.ts'
import { statePath } from '../state-directory.ts'
import type { Transfer } from '../transfer.ts'
import type { PutFlags } from './put.ts'

/** Whether these flags ask for more than a plain put. */
export function wantsParts ({ durable, resume, output, to }: PutFlags): boolean {
  return durable || resume || output !== undefined || (to ?? '').includes(',')
}

/** One file: what is to become of it, and what is known of it already. */
interface Item {
  readonly name: string
  readonly key: string
  entry: JournalEntry
}

/** Stores files in parts, or so that they can be gone on with. */
export async function putParts (context: Context, files: readonly string[], flags: PutFlags): Promise<Exit> {
  const durable = flags.durable || flags.resume
  if (durable && files.includes('-')) throw new RopewalkError('ERR_USAGE', 'standard input cannot be read again: write it to a file and put that')
  const journal = new Journal(statePath(context.env))
  const items = flags.resume ? await remembered(journal, files) : await chosen(journal, files, flags)
  const report = new Report({ ...context, json: flags.json, expected: { files: items.length, bytes: items.reduce((sum, { entry }) => sum + entry.size, 0) }, label: basename })
  if (flags.resume && items.length === 0) report.note('Nothing is left to go on with.')
  if (durable) for (const { entry } of items) if (entry.parts.length === 0) await journal.save(entry, false)

  await using nodes = new Nodes(context, flags)
  return await runBatch({
    items,
    nameOf: ({ name }) => name,
    direction: 'send',
    concurrency: flags.concurrency,
    signal: context.signal,
    report,
    channels: nodes.channels,
    kept: count => durable
      ? `${soFar(count, items.length, 'stored')}. What the nodes have of the rest they keep for an hour, and "ropewalk put --resume" goes on with it`
      : keptWhole(count, items.length, 'stored', what => `The same command stores ${what}; with --durable it keeps what was sent`),
    work: async (item, transfer) => await putItem(item, transfer)
  }).finally(() => { context.stdin.destroy() })

  async function putItem (item: Item, transfer: Transfer): Promise<Result> {
    const { signal } = context
    await using file = item.name === '-'
      ? await HashedFile.of(await spool(context.stdin, join(statePath(context.env), 'spool'), flags.spoolLimit, signal))
      : await HashedFile.open(item.entry.path)
    await requireSame(item, file)
    let { entry } = item
    transfer.started(file.size)
    if (entry.manifest !== undefined && !entry.force) await requireFree(entry.manifest)
    const anew = entry.parts.length === 0
    if (anew) {
      const parts = await reserveParts(nodes, entry.targets, file.size, tagOf({ size: file.size, changedNs: String(file.changedNs) }), durable, signal)
        .catch(async (error: unknown) => { await forgetUnbegun(item, error); throw error })
      entry = item.entry = { ...entry, size: file.size, changedNs: String(file.changedNs), parts }
      if (durable) await journal.save(entry, true)
    }
    await using log = durable ? await journal.hashLog(item.key, anew) : undefined
    await file.begin(entry.parts.map(({ offset }) => offset), log)
    const { parts, sha256 } = await uploadParts({
      nodes,
      entry,
      file,
      transfer,
      durable,
      resumed: !anew,
      giveUpMs: durable ? flags.retryFor * 1000 : 0,
      remember: async lasting => { if (durable) await journal.save(entry, lasting) },
      onRetry: (error, waitMs) => { report.note(`${escapeName(item.name)}: ${escapeName(messageOf(error))} (${codeOf(error)}); again in ${formatDuration(waitMs)}`) },
      onResumed: (part, bytes) => {
        if (flags.json) report.fact({ event: 'resumed', name: item.name, id: part.record === undefined ? null : formatId(part.record.chunkId), offset: part.offset, size: part.size, bytes, hashed: file.hashed })
        else report.note(`${escapeName(item.name)}: going on at ${formatBytes(part.offset + bytes)} of ${formatBytes(file.size)}`)
      },
      signal
    }).catch(async (error: unknown) => {
      if (codeOf(error) === 'ERR_FILE_CHANGED') await journal.remove(item.key)
      throw error
    })
    if (entry.manifest !== undefined) await writeManifest(entry.manifest, basename(item.name), file.size, sha256, parts, entry.force)
    if (durable) await journal.remove(item.key)
    if (item.name !== '-') for (const { id } of parts) await noteObjectName(statePath(context.env), formatId(id), basename(item.name))
    return stored(item.name, file.size, sha256, parts, entry.manifest)
  }

  /** An upload goes on with the content that it began with, or not at all. */
  async function requireSame ({ entry, key }: Item, file: HashedFile): Promise<void> {
    if (entry.parts.length === 0 || (entry.size === file.size && entry.changedNs === String(file.changedNs))) return
    await takeBack(nodes, entry.parts)
    await journal.remove(key)
    throw new RopewalkError('ERR_FILE_CHANGED', 'the file is not the one that the upload began with; what the nodes had of it is given up, put it again')
  }

  /** What never began, and cannot, is not worth remembering; what was only interrupted is. */
  async function forgetUnbegun ({ key }: Item, error: unknown): Promise<void> {
    if (durable && !context.signal.aborted && !KEPT.has(codeOf(error))) await journal.remove(key)
  }
}

/** Trouble that passes: an upload that has not begun because of it may begin later. */
const KEPT: ReadonlySet<string> = new Set(['ERR_UNREACHABLE', 'ERR_TIMEOUT', 'ERR_INTERRUPTED', 'ERR_NO_SPACE', 'ERR_NO_ROOM'])

/** What the command line names; where an upload of the same was interrupted, that one. */
async function chosen (journal: Journal, files: readonly string[], flags: PutFlags): Promise<Item[]> {
  const targets = (flags.to ?? '').split(',').map(text => text.trim())
  if (new Set(targets).size < targets.length) throw new RopewalkError('ERR_USAGE', 'a node is named twice', { text: flags.to })
  for (const target of targets) nodeAddress(target, flags.allowPlaintext)
  const manifests = await manifestPaths(files, flags, targets.length > 1)
  // Before anything is sent: nobody could fetch by a manifest that has another name in it.
  for (const [index, file] of files.entries()) if (manifests[index] !== undefined) nameInManifest(basename(file))
  return await Promise.all(files.map(async (name, index) => {
    const fresh: JournalEntry = { path: resolve(name), size: await sizeOf(name), changedNs: '0', targets, manifest: manifests[index], force: flags.force, parts: [] }
    const key = journal.keyOf(fresh)
    const known = flags.durable ? await journal.load(key) : undefined
    return { name, key, entry: known ?? fresh }
  }))
}

/** What the journal knows; of it, what the command line names, where it names something. */
async function remembered (journal: Journal, files: readonly string[]): Promise<Item[]> {
  const wanted = new Set(files.map(file => resolve(file)))
  const items: Item[] = []
  for (const key of await journal.keys()) {
    const entry = await journal.load(key)
    if (entry !== undefined && (wanted.size === 0 || wanted.has(entry.path))) items.push({ name: entry.path, key, entry })
  }
  const missing = [...wanted].filter(path => !items.some(({ entry }) => entry.path === path))
  if (missing.length > 0) throw new RopewalkError('ERR_JOURNAL', 'no upload of this file is remembered', { text: missing[0], advice: ['"ropewalk put --durable" begins one.'] })
  return items
}

async function manifestPaths (files: readonly string[], { output }: PutFlags, needed: boolean): Promise<Array<string | undefined>> {
  if (output === undefined && !needed) return files.map(() => undefined)
  const directory = output === undefined || output.endsWith('/') || output.endsWith(sep) || (await stat(output).catch(() => undefined))?.isDirectory() === true
  if (!directory && files.length > 1) throw new RopewalkError('ERR_USAGE', `${files.length} manifests need a directory: let its name end with /`, { text: output })
  if (!directory) return [resolve(output)]
  const paths = files.map(file => resolve(output ?? '.', `${file === '-' ? 'stdin' : basename(file)}${MANIFEST_SUFFIX}`))
  if (new Set(paths).size < paths.length) throw new RopewalkError('ERR_USAGE', 'two files of one name would have one manifest: put them one after the other, with -o')
  return paths
}

async function requireFree (path: string): Promise<void> {
  const taken = await stat(path).then(() => true, () => false)
  if (taken) throw new RopewalkError('ERR_EXISTS', `its manifest ${escapeName(path)} exists already; --force replaces it`)
}

async function writeManifest (path: string, name: string, size: number, sha256: string, parts: readonly Part[], force: boolean): Promise<void> {
  const text = formatManifest({ name: name === '-' ? 'stdin' : nameFor(name), size, sha256, parts })
  // What we could not read back would be lost.
  parseManifest(text)
  await writeWhole(path, text, { replace: force, lasting: true, mode: 0o666 })
}

/** A name that every manifest may have. */
function nameFor (name: string): string {
  const plain = name.toWellFormed().replaceAll(/[/\\\u0000-\u001f\u007f]/g, '_').replace(/^\.+/, '_')
  return Buffer.byteLength(plain) <= 200 ? plain : plain.slice(0, 50)
}

function stored (file: string, size: number, sha256: string, parts: readonly Part[], manifest: string | undefined): Result {
  const name = escapeName(file)
  const single = parts.length === 1 ? parts[0] : undefined
  const id = single === undefined ? null : formatId(single.id)
  const shown = manifest === undefined ? String(id) : escapeName(manifest)
  return {
    record: { event: 'stored', name: file, id, size, sha256, address: single?.address ?? null, ...manifest === undefined ? {} : { manifest, parts: parts.map(part => ({ ...part, id: formatId(part.id) })) } },
    row: [shown, String(size), sha256, name],
    lines: [`${shown}  ${name} (${formatBytes(size)}${parts.length > 1 ? ` in ${parts.length} parts` : ''})`, `  sha256 ${sha256}`]
  }
}

async function sizeOf (file: string): Promise<number> {
  const found = file === '-' ? undefined : await stat(file).catch(() => undefined)
  return found?.isFile() === true ? found.size : 0
}
