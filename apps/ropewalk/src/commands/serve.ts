import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { TokenBucket } from '@ropewalk/flow'
import type { RunningHash } from '@ropewalk/interface'
import { openSqliteLedger } from '@ropewalk/ledger-sqlite'
import { maintain, StorageNode } from '@ropewalk/protocol-mdsftp'
import { escapeName } from '@ropewalk/receive'
import { openFsStore } from '@ropewalk/store-fs'
import { listen, loadIdentity, type Address } from '@ropewalk/transport-tcp'
import { DEFAULT_ADDRESS, formatAddress, isLocal, parseAddress } from '../address.ts'
import type { Context } from '../context.ts'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { NodeServer } from '../node-server.ts'
import { encodeLine } from '../progress/ndjson.ts'
import { peakMemory } from '../progress/report.ts'
import { defaultStore, statePath } from '../state-directory.ts'

export interface ServeFlags {
  readonly listen?: readonly string[] | undefined
  readonly store?: string | undefined
  readonly capacity?: number | undefined
  readonly allow?: readonly string[] | undefined
  readonly allowAnyone: boolean
  readonly allowPlaintext: boolean
  readonly json: boolean
}

/** Lines of trouble a second, and how many may come at once. Ours: whoever knocks must not fill a disk with our complaints. */
const TROUBLE = { ratePerSecond: 1, burst: 20 }

/** What the node has promised, beside the objects it is about. */
const LEDGER_FILE = 'ledger'

/** Runs a storage node until the signal says stop. */
export async function serve (context: Context, flags: ServeFlags): Promise<Exit> {
  const { stderr, signal, env } = context
  const addresses = (flags.listen ?? [DEFAULT_ADDRESS]).map(text => listenAddress(text, flags))
  const state = statePath(env)
  const directory = flags.store ?? defaultStore(state)
  const note = (text: string): void => { if (!flags.json) stderr.write(`${stderr.isTTY === true ? '\r' : ''}${text}\n`) }

  const identity = addresses.some(({ transport }) => transport === 'tls') ? await loadIdentity(state) : undefined
  const store = await openFsStore(directory).catch((error: unknown) => { throw storeFailure(directory, error) })
  // Nobody else has it open: the store is ours, and the file lies in it.
  const ledger = await openSqliteLedger(join(directory, LEDGER_FILE)).catch(async (error: unknown) => {
    await store.close()
    throw storeFailure(directory, error)
  })
  const node = new StorageNode({ store, ledger, hasher: sha256, maxBytes: flags.capacity })
  const allowed = flags.allow === undefined ? undefined : new Set(flags.allow)
  const onTrouble = trouble(context, flags.json)
  const server = new NodeServer({ node, allowed, onTrouble })

  note(`Storing in ${escapeName(directory)}`)
  const maintaining = new AbortController()
  const maintained = maintain(node, { signal: maintaining.signal, onVerified: ({ chunkId, outcome }) => { if (outcome === 'damaged') onTrouble('store', damaged(chunkId)) } })
  try {
    const { lost } = await node.ready.catch((error: unknown) => { throw storeFailure(directory, error) })
    for (const chunkId of lost) onTrouble('store', new RopewalkError('ERR_STATE', `${chunkId} was committed and is gone from the store`))
    for (const address of addresses) {
      const listener = await listen(address, {
        tls: identity === undefined ? undefined : { identity, requestClientCertificate: allowed !== undefined },
        onRefused: error => onTrouble('client', error)
      }).catch((error: unknown) => { throw new RopewalkError('ERR_LISTEN', `cannot listen on ${formatAddress(address)}: ${messageOf(error)}`, { cause: error }) })
      server.add(listener)
      tell(context, flags.json, 'listening', formatAddress(listener.address))
    }
    note('Ctrl-C stops')
    await aborted(signal)
  } finally {
    note('Stopping; what is under way may take 10 seconds more')
    if (flags.json) context.stdout.write(encodeLine({ event: 'stopping' }))
    const clean = await server.stop()
    if (!clean) note('Some transfers were cut off')
    maintaining.abort()
    await maintained
    await ledger.close()
    await store.close()
    if (flags.json) context.stdout.write(encodeLine({ event: 'stopped', clean, peak_memory: peakMemory() }))
  }
  return Exit.done
}

function tell ({ stdout }: Context, json: boolean, event: string, address: string): void {
  if (json) stdout.write(encodeLine({ event, address }))
  else stdout.write(stdout.isTTY === true ? `Listening on ${address}\n` : `${address}\n`)
}

/** Refuses to listen for other machines without a word on who may come, or how. */
function listenAddress (text: string, { allow, allowAnyone, allowPlaintext }: ServeFlags): Address {
  const address = parseAddress(text)
  if (address.transport === 'tls' && address.fingerprint !== undefined) {
    throw new RopewalkError('ERR_ADDRESS', 'a node shows its own key: leave the fingerprint out', { text, at: text.indexOf('#') })
  }
  if (isLocal(address)) return address
  if (address.transport === 'tcp' && !allowPlaintext) {
    throw new RopewalkError('ERR_USAGE', 'without encryption everybody on the way can read and change the files', {
      text,
      advice: ['Use mdsftp+tls://, or say --allow-plaintext if the network itself is trusted.']
    })
  }
  if (!allowAnyone && (allow === undefined || address.transport === 'tcp')) {
    throw new RopewalkError('ERR_USAGE', 'whoever reaches this node could read, store and remove', {
      text,
      advice: address.transport === 'tcp'
        ? ['Plain tcp does not tell who connects. Say --allow-anyone if that is what you want.']
        : ['Name the keys that may connect with --allow ("ropewalk identity" prints one),', 'or say --allow-anyone if that is what you want.']
    })
  }
  return address
}

function trouble ({ stderr, stdout, now }: Context, json: boolean): (remote: string, error: unknown) => void {
  const bucket = new TokenBucket(TROUBLE)
  let silent = 0
  return (remote, error) => {
    if (bucket.take(1, now()) > 0) {
      silent++
      return
    }
    const [code, message] = [codeOf(error), messageOf(error)]
    if (json) stdout.write(encodeLine({ event: 'trouble', remote, code, message, not_told: silent }))
    else stderr.write(`${remote}: ${escapeName(message)} (${code})${silent > 0 ? `; ${silent} more were not told` : ''}\n`)
    silent = 0
  }
}

function sha256 (): RunningHash {
  const hash = createHash('sha256')
  return { update: bytes => { hash.update(bytes) }, digest: () => hash.digest() }
}

function damaged (chunkId: string): RopewalkError {
  return new RopewalkError('ERR_STATE', `${chunkId} is not what was stored, and not served any more`)
}

function storeFailure (directory: string, error: unknown): RopewalkError {
  const locked = codeOf(error) === 'ERR_LOCKED'
  return new RopewalkError('ERR_STATE', locked ? 'another node has this store open' : messageOf(error), {
    cause: error,
    text: directory,
    advice: locked ? ['--store DIRECTORY names another one.'] : []
  })
}

function aborted (signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
