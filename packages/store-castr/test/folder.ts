import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

/** A folder that is gone when the test is over. */
export async function folder (t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'castr-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}

/** A store that the original wrote. */
export function recordedStore (name: string): string {
  return fileURLToPath(new URL(`../../../fixtures/casync/inputs/${name}.castr`, import.meta.url))
}
