import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** A folder of this test's own, gone after it. */
export async function folder (t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'tree-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}
