/** Writes a ceiling for every entry point: what it has now and a quarter more. Run it after a build, and say in the change why it was needed. */
import { writeFile } from 'node:fs/promises'
import { readCeilings, sizeOf } from './size.ts'
import { publishedPackages } from './workspace.ts'

const STEP_BYTES = 500
const before = readCeilings()
const ceilings: Record<string, number> = {}
for (const pkg of publishedPackages()) {
  for (const entry of pkg.entries) {
    const bytes = await sizeOf(pkg, entry)
    const kept = before[entry.name]
    ceilings[entry.name] = kept !== undefined && bytes <= kept && bytes >= kept / 2 ? kept : Math.ceil(bytes * 1.25 / STEP_BYTES) * STEP_BYTES
  }
}
await writeFile(new URL('../sizes.json', import.meta.url), `${JSON.stringify(ceilings, undefined, 2)}\n`)
