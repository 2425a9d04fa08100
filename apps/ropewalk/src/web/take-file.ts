/**
 * Files that are dropped onto the page: into the store of objects where there is one, else into the inbox.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { StorageNode } from '@ropewalk/protocol-mdsftp'
import { openReceiver, receiveFile } from '@ropewalk/receive'
import { Uint8ArrayList } from 'uint8arraylist'
import type { ActivityBoard, Reporting } from '../activity/board.ts'
import { noteObjectName } from '../activity/object-names.ts'
import { formatId } from '../arguments.ts'
import { RopewalkError } from '../errors.ts'

export interface Places {
  readonly board: ActivityBoard
  /** Where names of objects are noted. */
  readonly state: string
  readonly storage: StorageNode | undefined
  readonly inbox: string | undefined
}

export interface Taken {
  readonly name: string
  readonly size: number
  /** Of the object, where it became one. */
  readonly id?: string | undefined
  /** In the inbox, where it went there. */
  readonly path?: string | undefined
}

/** Stores the body of `request` under `name`; resolves when it is durable. */
export async function takeFile (request: IncomingMessage, name: string, { board, state, storage, inbox }: Places): Promise<Taken> {
  const size = Number(request.headers['content-length'])
  if (!Number.isSafeInteger(size) || size < 0) throw new RopewalkError('ERR_USAGE', 'the size of the file is wanted: content-length')
  if (storage === undefined && inbox === undefined) throw new RopewalkError('ERR_USAGE', 'this node neither stores objects nor has an inbox', { advice: ['"ropewalk serve --web --inbox DIRECTORY" gives it one.'] })
  const reporting = board.begin({ protocol: 'web', direction: 'in', name, size, peer: request.socket.remoteAddress })
  try {
    const taken = storage === undefined ? await intoInbox(inbox as string, request, name, size, reporting) : await intoStore(storage, request, name, size, reporting)
    reporting.done()
    if (taken.id !== undefined) await noteObjectName(state, taken.id, name)
    return taken
  } catch (error) {
    reporting.failed(error)
    throw error
  }
}

async function intoInbox (inbox: string, body: Readable, name: string, size: number, reporting: Reporting): Promise<Taken> {
  const receiver = await openReceiver(inbox)
  try {
    const received = await receiveFile(receiver, name, counted(body, reporting), { size })
    return { name: received.name, size: received.size, path: received.path }
  } finally {
    await receiver.close()
  }
}

async function intoStore (node: StorageNode, body: Readable, name: string, size: number, reporting: Reporting): Promise<Taken> {
  const entry = await node.reserve(BigInt(size), false, 'web')
  if ('spaceLeft' in entry) throw new RopewalkError('ERR_NO_ROOM', `${size} > ${entry.spaceLeft} bytes that are left`)
  const { id } = entry
  try {
    if (!node.lock(id, 'write')) throw new RopewalkError('ERR_STATE', `${formatId(id)} is being written to`)
    let interrupted: Error | undefined
    const upload = await node.begin(id, 0, { interrupt: reason => { interrupted = reason }, alive: () => !body.destroyed, final: false })
    let bytes = 0
    let broken = true
    try {
      for await (const piece of counted(body, reporting)) {
        if (interrupted !== undefined) throw interrupted
        bytes += piece.byteLength
        if (bytes > size) break
        await upload.write(new Uint8ArrayList(piece))
      }
      broken = bytes !== size
    } finally {
      const outcome = await upload.end(broken)
      if (!broken && outcome !== 'complete') broken = true
    }
    if (broken) throw new RopewalkError('ERR_INCOMPLETE', `${bytes} of ${size} bytes came`)
    if (await node.commit(id) !== 'committed') throw new RopewalkError('ERR_STATE', `${formatId(id)} could not be committed`)
    return { name, size, id: formatId(id) }
  } catch (error) {
    await node.cancel(id).catch(() => {})
    throw error
  }
}

async function * counted (body: Readable, reporting: Reporting): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0
  for await (const piece of body as AsyncIterable<Uint8Array>) {
    yield piece
    reporting.moved(bytes += piece.byteLength)
  }
}
