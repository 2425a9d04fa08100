/**
 * A folder for the time of a run, which goes with the process, however that ends.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'

export function temporaryFolder (below: string): { readonly path: string, readonly remove: () => void } {
  const path = mkdtempSync(join(below, 'ropewalk-bench-'))
  const remove = (): void => { rmSync(path, { recursive: true, force: true }) }
  process.on('exit', remove)
  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) process.once(signal, () => process.exit(code))
  return { path, remove }
}
