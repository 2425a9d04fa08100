/** Writes the API of every entry point down. Run it after a build, and read what changed. */
import { writeFile } from 'node:fs/promises'
import { describeApi, reportPath } from './api.ts'
import { publishedPackages } from './workspace.ts'

for (const pkg of publishedPackages()) {
  for (const entry of pkg.entries) await writeFile(reportPath(entry), await describeApi(pkg, entry))
}
