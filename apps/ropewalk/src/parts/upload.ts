/**
 * One file to one node or several: room is reserved for every part first, then they are sent in their order, from one reading
 * of the file (MDSFTP specification section 6.5). With a journal it outlives the loss of everything but the file.
 *
 * @module
 */
import { cancel, commit, KEEP_ALIVE_MS, putPersistent, remove, reserve, StorageError, type UploadJournal } from '@ropewalk/protocol-mdsftp'
import { parseAddress } from '../address.ts'
import { codeOf, RopewalkError } from '../errors.ts'
import { formatBytes } from '../format.ts'
import { mayComeBack, type NodeChoice, type Nodes } from '../nodes.ts'
import type { Transfer } from '../transfer.ts'
import type { HashedFile } from './hashed-file.ts'
import type { Part } from './manifest.ts'
import { planShares, type Room } from './plan-state.ts'
import type { JournalEntry, JournalPart } from './upload-journal.ts'

export interface UploadOptions {
  readonly nodes: Nodes
  readonly entry: JournalEntry
  readonly file: HashedFile
  readonly transfer: Transfer
  /** How long attempts may bring nothing new. 0: the first failure is the last. */
  readonly giveUpMs: number
  /** What is lost with the process, or kept for the next: a durable upload is. */
  readonly durable: boolean
  /** It goes on with what an earlier process began. */
  readonly resumed: boolean
  /** Called when something is to be remembered; `lasting` if it must survive loss of power. */
  readonly remember: (lasting: boolean) => Promise<void>
  /** Tells that an attempt failed and another will be made. */
  readonly onRetry: (error: unknown, waitMs: number) => void
  /** Tells that the node had so many bytes of the part already. */
  readonly onResumed: (part: JournalPart, bytes: number) => void
  readonly signal: AbortSignal
}

/** How long what failed may take to be taken back. Ours. */
const TAKE_BACK_MS = 5000

/** Asks for more than anybody has: the answer tells how much there is (specification sections 1.3 and 5.1). */
const MORE_THAN_ANY: number = Number.MAX_SAFE_INTEGER

/** Room for every part, reserved on its node. `ERR_NO_ROOM`, and nothing reserved, where that cannot be. */
export async function reserveParts (nodes: Nodes, targets: readonly string[], size: number, tag: string, durable: boolean, signal: AbortSignal): Promise<JournalPart[]> {
  const choices = targets.map(choiceOf)
  if (choices.length === 1) return [await reservePart(nodes, choices[0] as NodeChoice, { offset: 0, size }, tag, durable, signal)]

  const rooms: Room[] = []
  for (const [node, choice] of choices.entries()) rooms.push({ node, bytes: await roomOf(nodes, choice, signal) })
  // What a node said is a hint: one that refuses has told how much there really is, and the plan is made anew.
  for (let attempt = 0; attempt <= choices.length; attempt++) {
    const shares = planShares(size, rooms)
    if (shares === undefined) break
    const parts: JournalPart[] = []
    try {
      for (const { node, ...share } of shares) {
        try {
          parts.push(await reservePart(nodes, choices[node] as NodeChoice, share, tag, durable, signal))
        } catch (error) {
          if (!(error instanceof StorageError) || error.code !== 'ERR_NO_SPACE') throw error
          rooms[node] = { node, bytes: Math.min(Number(error.spaceLeft ?? 0n), share.size - 1) }
          break
        }
      }
    } catch (error) {
      await takeBack(nodes, parts)
      throw error
    }
    if (parts.length === shares.length) return parts
    await takeBack(nodes, parts)
  }
  const room = rooms.reduce((sum, { bytes }) => sum + bytes, 0)
  throw new RopewalkError('ERR_NO_ROOM', `the nodes have room for ${formatBytes(room)}, and the file has ${formatBytes(size)}`)
}

async function reservePart (nodes: Nodes, choice: NodeChoice, { offset, size }: { offset: number, size: number }, tag: string, durable: boolean, signal: AbortSignal): Promise<JournalPart> {
  return await nodes.use(choice, async node => {
    if (node.profile.name === 'seed') throw new RopewalkError('ERR_USAGE', 'the seed profile has neither durable uploads nor parts')
    // Of nothing there is nothing to go on with.
    const chunkId = size === 0 ? undefined : await reserve(node, size, { durable, signal })
    const record = chunkId === undefined ? undefined : { chunkId, size, acknowledged: 0, tag }
    return { address: nodes.nameOf(choice), offset, size, record, stored: undefined, sha256: undefined }
  }, { signal })
}

async function roomOf (nodes: Nodes, choice: NodeChoice, signal: AbortSignal): Promise<number> {
  return await nodes.use(choice, async node => {
    try {
      const id = await reserve(node, MORE_THAN_ANY, { signal })
      await cancel(node, id, { signal })
      return MORE_THAN_ANY
    } catch (error) {
      if (error instanceof StorageError && error.code === 'ERR_NO_SPACE') return Number(error.spaceLeft ?? 0n)
      throw error
    }
  }, { signal })
}

/** Sends what is missing of every part, and commits it. */
export async function uploadParts (options: UploadOptions): Promise<{ parts: Part[], sha256: string }> {
  const { entry, file, nodes, transfer, signal, remember } = options
  const stop = keepAlive(options)
  try {
    for (const part of entry.parts) {
      if (part.stored === undefined) part.stored = await uploadPart(part, options)
      part.sha256 = await file.partDigest(part.offset, part.offset + part.size)
      part.record = undefined
      transfer.moved(part.offset + part.size)
      signal.throwIfAborted()
      await remember(true)
    }
    const sha256 = await file.digest()
    return { sha256, parts: entry.parts.map(({ address, offset, size, stored, sha256: own }) => ({ address, offset, size, id: stored as string, sha256: own ?? sha256 })) }
  } catch (error) {
    // Of a file that is not what it was, or an upload that nobody can go on with, nothing is worth keeping.
    if (!options.durable || codeOf(error) === 'ERR_FILE_CHANGED') await takeBack(nodes, entry.parts)
    throw error
  } finally {
    stop()
  }
}

async function uploadPart (part: JournalPart, options: UploadOptions): Promise<string> {
  const { entry, file, nodes, transfer, giveUpMs, remember, onRetry, onResumed, signal } = options
  const { offset, size } = part
  let resumed = part.record !== undefined && options.resumed
  const journal: UploadJournal = {
    load: async () => part.record,
    save: async record => {
      // Before the first byte of an upload it must be remembered that there is one; how far it came, the node knows.
      const lasting = record.chunkId !== part.record?.chunkId
      part.record = record
      await remember(lasting)
    },
    clear: async () => { part.record = undefined }
  }
  const content = { read: async (into: Uint8Array, position: number): Promise<number> => await file.read(into.subarray(0, Math.min(into.length, size - position)), offset + position) }
  const { chunkId } = await putPersistent(nodes.at(choiceOf(part.address)), content, {
    size,
    journal,
    tag: tagOf(entry),
    giveUpMs,
    retry: mayComeBack,
    signal,
    onRetry,
    onEvent: event => {
      if (event.event !== 'progress') return
      if (resumed) onResumed(part, event.bytes)
      resumed = false
      file.acknowledged(offset + event.bytes)
      transfer.moved(offset + event.bytes)
    }
  })
  return chunkId
}

/** What the content is: an upload goes on only with the same. */
export function tagOf ({ size, changedNs }: Pick<JournalEntry, 'size' | 'changedNs'>): string {
  return `${size} ${changedNs}`
}

/** Parts that wait for their turn are held, as the one that is sent is (specification section 6.1). */
function keepAlive ({ entry, nodes, signal }: UploadOptions): () => void {
  const timer = setInterval(() => {
    for (const { record, address } of entry.parts) {
      if (record === undefined) continue
      // One that fails is one that is missed.
      nodes.use(choiceOf(address), async node => { await commit(node, record.chunkId, 'keep_alive', { signal }) }, { signal }).catch(() => {})
    }
  }, KEEP_ALIVE_MS)
  timer.unref()
  return () => { clearInterval(timer) }
}

/** Best effort: what cannot be told runs out by itself, if it was not stored. */
export async function takeBack (nodes: Nodes, parts: readonly JournalPart[]): Promise<void> {
  const signal = AbortSignal.timeout(TAKE_BACK_MS)
  await Promise.all(parts.map(async ({ address, record, stored }) => {
    const id = stored ?? record?.chunkId
    if (id === undefined) return
    await nodes.use(choiceOf(address), async node => { await (stored === undefined ? commit(node, id, 'reject', { signal }) : remove(node, id, { signal })) }, { signal }).catch(() => {})
  }))
}

/** Addresses here are those that the user has given. */
function choiceOf (text: string): NodeChoice {
  return { address: parseAddress(text), guarded: false }
}
