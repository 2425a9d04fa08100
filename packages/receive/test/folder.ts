import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openReceiver, type Receiver, type ReceiverOptions } from '../src/index.ts'

/** A root to receive into and, beside it, what must stay as it is. */
export interface Folder {
  path: string
  root: string
  outside: string
  open (options?: ReceiverOptions): Promise<Receiver>
}

export async function makeFolder (t: { teardown: (dispose: () => Promise<void>) => unknown }): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'receive-'))
  const root = join(path, 'root')
  const outside = join(path, 'outside')
  const opened: Receiver[] = []
  await mkdir(root)
  await mkdir(outside)
  t.teardown(async () => {
    for (const receiver of opened) await receiver.close()
    await rm(path, { recursive: true, force: true })
  })
  return {
    path,
    root,
    outside,
    async open (options) {
      const receiver = await openReceiver(root, options)
      opened.push(receiver)
      return receiver
    }
  }
}

/** Every path below, relative and sorted, without the staging folder. */
export async function tree (path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true })
  return entries.filter(entry => !entry.startsWith('.ropewalk-staging')).sort()
}

/** The files that are not whole yet, of all receivers. */
export async function staged (root: string): Promise<string[]> {
  const entries = await readdir(join(root, '.ropewalk-staging'), { recursive: true }).catch(() => [])
  return entries.filter(entry => entry.endsWith('.part'))
}

export function text (content: string): Uint8Array {
  return new TextEncoder().encode(content)
}
