/**
 * A release that is not made: what would be published, at which version, with which words?
 *
 * @module
 */
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Checks } from './checks.ts'
import { run } from './run.ts'
import { publishedPackages, ROOT } from './workspace.ts'

/** What a copy of the workspace is made of for a release: nothing that was installed, built or logged, and not the history. */
const LEFT_OUT = /(^|\/)(node_modules|dist|\.git|\.turbo|\.tap|logs)(\/|$)/

/** Lets changesets write versions and changelogs in a copy of the workspace, and pnpm say what it would publish. */
export async function rehearseRelease (checks: Checks, directory: string): Promise<void> {
  const before = new Map(publishedPackages().map(({ name, manifest }) => [name, manifest.version]))
  const copied = await checks.check('the workspace is copied for a release', async () => {
    await cp(ROOT, directory, { recursive: true, filter: source => !LEFT_OUT.test(source.slice(ROOT.length)) })
    // changesets asks git what there is.
    await run('git', ['init', '--quiet', '--initial-branch=main'], { cwd: directory })
    await run('pnpm', ['install', '--frozen-lockfile', '--prefer-offline', '--ignore-scripts'], { cwd: directory })
    return true
  })
  if (copied !== true) return
  await checks.check('changesets give every package that changes a version and a changelog', async () => {
    await run('pnpm', ['exec', 'changeset', 'version'], { cwd: directory })
    let released = 0
    for (const { name, folder } of publishedPackages()) {
      const place = join(directory, folder.slice(ROOT.length))
      const { version } = JSON.parse(await readFile(join(place, 'package.json'), 'utf8')) as { version: string }
      if (version === before.get(name)) continue
      const changelog = await readFile(join(place, 'CHANGELOG.md'), 'utf8')
      if (!changelog.includes(`## ${version}`)) throw new Error(`the changelog of ${name} does not speak of ${version}`)
      released++
    }
    if (released === 0) throw new Error('nothing would be released: is there a changeset?')
  })
  await checks.check('every package could be published', async () => {
    // Provenance is signed by the service that runs a release; here is none.
    await run('pnpm', ['-r', 'publish', '--dry-run', '--no-git-checks', '--ignore-scripts'], { cwd: directory, env: { NPM_CONFIG_PROVENANCE: 'false' } })
  })
}
