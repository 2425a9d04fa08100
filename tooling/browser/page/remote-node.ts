import { connectNode, put, randomId, retrieve, type Id, type StorageConnection } from '@ropewalk/protocol-mdsftp'
import { dial } from '@ropewalk/transport-ws'

/** Bytes of a file that are read at a time. */
const SLICE_BYTES = 262_144

export interface Stored {
  readonly id: Id
  readonly size: number
  /** Of what was sent. */
  readonly sha256: string
}

export type Progress = (bytes: number) => void

/** A connection to the node at `url`, over which any number of files go at once. */
export async function connect (url: string): Promise<StorageConnection> {
  const connection = connectNode(await dial(url), { nodeId: randomId() })
  connection.refuse()
  return connection
}

/** Stores a file, which is read no faster than it goes out. */
export async function putFile (connection: StorageConnection, file: Blob, progress: Progress = () => {}): Promise<Stored> {
  const { chunkId } = await put(connection, readFile(file), {
    size: file.size,
    onEvent: event => { if (event.event === 'progress') progress(event.bytes) }
  })
  return { id: chunkId, size: file.size, sha256: await sha256(file) }
}

/** The file with that id. */
export async function getFile (connection: StorageConnection, id: Id, progress: Progress = () => {}): Promise<Blob> {
  const parts: Array<Uint8Array<ArrayBuffer>> = []
  let bytes = 0
  for await (const list of retrieve(connection, id)) {
    const part = list.slice()
    parts.push(part as Uint8Array<ArrayBuffer>)
    progress(bytes += part.length)
  }
  return new Blob(parts)
}

/** In hex, by the browser itself. */
export async function sha256 (blob: Blob): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', await blob.arrayBuffer())
  return Array.from(new Uint8Array(digest), byte => byte.toString(16).padStart(2, '0')).join('')
}

/** A file as the beginning of a pipeline: read no faster than it is taken. */
export async function * readFile (file: Blob): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.size; at += SLICE_BYTES) yield new Uint8Array(await file.slice(at, at + SLICE_BYTES).arrayBuffer())
}
