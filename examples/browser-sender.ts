// Sends a file that somebody drops onto a page to a storage node, over WebSocket. This module runs in a browser as it is;
// run by Node it plays both sides: node browser-sender.ts
import { connectNode, put } from '@ropewalk/protocol-mdsftp'
import { dial } from '@ropewalk/transport-ws'

/** Stores `file` at the node; resolves to its id. The file is read no faster than the node writes. */
export async function sendFile (file: Blob, address: string, onProgress: (bytes: number) => void = () => {}): Promise<string> {
  const connection = connectNode(await dial(address), { nodeId: crypto.randomUUID().replaceAll('-', '') })
  try {
    const { chunkId } = await put(connection, pieces(file), { size: file.size, onEvent: event => { if (event.event === 'progress') onProgress(event.bytes) } })
    return chunkId
  } finally {
    await connection.close()
  }
}

async function * pieces (file: Blob): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.size; at += 1024 * 1024) yield new Uint8Array(await file.slice(at, at + 1024 * 1024).arrayBuffer())
}

/** What a page has: an element that files can be dropped onto. */
interface DropTarget {
  addEventListener (type: 'dragover' | 'drop', listener: (event: { preventDefault (): void, dataTransfer: { files: Iterable<Blob & { name: string }> } | null }) => void): void
}

/** Lets `element` take files. */
export function acceptDrops (element: DropTarget, address: string, onStored: (name: string, id: string) => void): void {
  element.addEventListener('dragover', event => event.preventDefault())
  element.addEventListener('drop', event => {
    event.preventDefault()
    for (const file of event.dataTransfer?.files ?? []) void sendFile(file, address).then(id => onStored(file.name, id))
  })
}

if (typeof process === 'object') {
  const { listen } = await import('@ropewalk/transport-ws/node')
  const { acceptNode, serve, StorageNode } = await import('@ropewalk/protocol-mdsftp')
  const { MemoryStore } = await import('@ropewalk/store-memory')
  const store = new MemoryStore()
  const node = new StorageNode({ store })
  const listener = await listen('ws://127.0.0.1:0/')
  void (async () => {
    for await (const connection of listener) void acceptNode(connection).then(peer => serve(peer, { node })).catch((error: Error) => connection.abort(error))
  })()
  const id = await sendFile(new Blob(['laid into one rope']), listener.address)
  console.log(new TextDecoder().decode(store.content(id))) // laid into one rope
  await listener.close()
}
