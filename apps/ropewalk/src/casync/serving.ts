/**
 * The other end of a session: what a client names is opened here, and given or taken.
 *
 * @module
 */
import type { Channel, ChunkSource } from '@ropewalk/interface'
import { chain, servePull, servePush } from '@ropewalk/protocol-casync'
import { nodeCompression, nodeHash, type CastrStore } from '@ropewalk/store-castr'
import { RopewalkError } from '../errors.ts'
import { formatLocator, type Locator } from './locator.ts'
import { NewFile } from './new-file.ts'
import { diskStore, fileBytes, storeSource } from './open.ts'
import type { HelperCall } from './remote-end.ts'

export interface ServeCallOptions {
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  /** Chunks are read while everything else stands still: for a process that serves one client. */
  readonly readAtOnce?: boolean | undefined
}

/** Serves one client, until it goes. */
export async function serveCall (channel: Channel, { verb, archive, index, stores }: HelperCall, options: ServeCallOptions): Promise<void> {
  const { signal } = options
  const compression = nodeCompression()
  if (verb === 'pull') {
    const sources = stores.filter(store => store !== undefined).map(store => storeSource(store, options))
    try {
      await servePull(channel, {
        index: index === undefined ? undefined : fileBytes(index, options),
        archive: archive === undefined ? undefined : fileBytes(archive, options),
        store: sources.length === 0 ? undefined : sources.length === 1 ? sources[0] : chain(sources, { heal: false }),
        compression,
        signal
      })
    } finally {
      await Promise.allSettled(sources.map(async source => { if (isStore(source)) await source.close() }))
    }
    return
  }
  // As casync has it, only the first store is written to.
  const [first] = stores
  await using store = first === undefined ? undefined : diskStore(writable(first), { ...options, lease: true })
  const newIndex = index === undefined ? undefined : await NewFile.open(writable(index))
  const newArchive = archive === undefined ? undefined : await NewFile.open(writable(archive)).catch(async (error: unknown) => {
    await newIndex?.discard()
    throw error
  })
  await servePush(channel, {
    index: newIndex,
    archive: newArchive,
    store,
    hash: nodeHash,
    compression,
    signal
  })
}

/** One that may have threads. */
function isStore (source: ChunkSource): source is CastrStore {
  return 'close' in source
}

function writable (locator: Locator): string {
  if (locator.kind === 'file') return locator.path
  throw new RopewalkError('ERR_USAGE', 'only files of this machine can be written', { text: formatLocator(locator) })
}
