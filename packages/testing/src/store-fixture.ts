import type { FragmentStore } from '@ropewalk/interface'
import { Uint8ArrayList } from 'uint8arraylist'

/** The part of tap's `t` that the suite uses. The message is written as tap writes it, so that its `t` fits. */
export interface Test {
  test (name: string, body: (t: Test) => Promise<unknown>): Promise<unknown>
  equal (found: unknown, wanted: unknown, ...message: [] | [string]): unknown
  same (found: unknown, wanted: unknown, ...message: [] | [string]): unknown
  ok (found: unknown, ...message: [] | [string]): unknown
  rejects (promise: Promise<unknown>, wanted: { code: string } | { name: string }, ...message: [] | [string]): Promise<unknown>
}

export interface OpenedStore {
  store: FragmentStore
  /** Closes the store and opens it again over the same objects. */
  reopen (): Promise<FragmentStore>
  /** Closes whatever is open and removes the objects. */
  dispose (): Promise<void>
}

export type OpenStore = (options?: { maxBytes?: number }) => Promise<OpenedStore>

export interface StoreSuiteOptions {
  /** Start of the random operations. The same number gives the same operations. */
  seed?: number
  /** Random runs. 20 by default. */
  runs?: number
}

/** One test with a store of its own, disposed of whatever happens. */
export async function withStore (t: Test, openStore: OpenStore, name: string, body: (t: Test, store: FragmentStore, opened: OpenedStore) => Promise<unknown>, options?: { maxBytes?: number }): Promise<void> {
  await t.test(name, async t => {
    const opened = await openStore(options)
    try {
      await body(t, opened.store, opened)
    } finally {
      await opened.dispose()
    }
  })
}

/** The id that ends in `number`. Different first bytes, as random ids have. */
export function idOf (number: number): string {
  const low = number.toString(16).padStart(8, '0')
  return low.slice(-2) + 'c0ffee'.repeat(4).slice(0, 22) + low
}

/** Bytes that differ from place to place and from seed to seed. */
export function bytesOf (length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >>> 8) * 7 + seed * 101) & 0xff
  return bytes
}

/** Writes a whole object in pieces and lets go of it. */
export async function put (store: FragmentStore, id: string, content: Uint8Array, pieceBytes = 65_536): Promise<void> {
  const writer = await store.write(id, 0)
  try {
    for (let begin = 0; begin < content.length; begin += pieceBytes) await writer.write(content.subarray(begin, begin + pieceBytes))
  } finally {
    await writer.close()
  }
}

export async function putCommitted (store: FragmentStore, id: string, content: Uint8Array): Promise<void> {
  await put(store, id, content)
  await store.commit(id)
}

export async function readAll (store: FragmentStore, id: string): Promise<Uint8Array> {
  const reader = await store.read(id)
  try {
    const content = new Uint8Array(reader.size)
    const filled = await reader.read(content, 0)
    return content.subarray(0, filled)
  } finally {
    await reader.close()
  }
}

/** The same bytes as a list of pieces. */
export function listOf (bytes: Uint8Array, ...cuts: number[]): Uint8ArrayList {
  const list = new Uint8ArrayList()
  let begin = 0
  for (const cut of [...cuts, bytes.length]) {
    list.append(bytes.subarray(begin, cut))
    begin = cut
  }
  return list
}

/** Equality of bytes with a short message: a diff of a megabyte helps nobody. */
export function sameBytes (t: Test, found: Uint8Array, wanted: Uint8Array, message = 'bytes'): void {
  t.equal(found.length, wanted.length, `length of ${message}`)
  t.equal(found.findIndex((byte, index) => byte !== wanted[index]), -1, `first difference of ${message}`)
}
