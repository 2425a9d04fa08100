import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FragmentStore } from '@ropewalk/interface'
import { openFsStore, type FsStoreOptions } from '../src/index.ts'

/** Stores of one folder, which goes when the test is over. */
export interface Folder {
  path: string
  open (options?: FsStoreOptions): Promise<FragmentStore>
  dispose (): Promise<void>
}

export async function makeFolder (): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'store-fs-'))
  const opened: FragmentStore[] = []
  return {
    path,
    async open (options) {
      const store = await openFsStore(path, options)
      opened.push(store)
      return store
    },
    async dispose () {
      for (const store of opened) await store.close().catch(() => {})
      await rm(path, { recursive: true, force: true })
    }
  }
}
