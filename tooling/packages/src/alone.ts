/**
 * A package in an empty folder, with what its manifest asks for and nothing else.
 *
 * @module
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './run.ts'
import { importedPackages, ROOT, type Manifest, type Package } from './workspace.ts'
import type { NodeVersion } from './nodes.ts'

/** Where a README ends its example by itself. Ours: an example that waits for somebody is none. */
const EXAMPLE_TIMEOUT_MS = 60_000

/** By name, the path of each tarball. */
export type Tarballs = ReadonlyMap<string, string>

/** Installs the tarball of `pkg` into `directory`, beside `more` packages. Ours come from tarballs, whoever asks for them. */
export async function installAlone (pkg: Package, tarballs: Tarballs, directory: string, more: Readonly<Record<string, string>> = {}): Promise<void> {
  await mkdir(directory, { recursive: true })
  const overrides = Array.from(tarballs, ([name, path]) => `  '${name}': 'file:${path}'\n`).join('')
  await writeFile(join(directory, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies: { [pkg.name]: `file:${tarballs.get(pkg.name)}`, ...more } }))
  await writeFile(join(directory, 'pnpm-workspace.yaml'), `packages: []\nhoist: false\nstrictDepBuilds: false\noverrides:\n${overrides}`)
  await run('pnpm', ['install', '--prefer-offline', '--ignore-scripts'], { cwd: directory })
}

/** Imports every entry point of `pkg`. */
export async function importEntries ({ entries }: Package, { path }: NodeVersion, directory: string): Promise<void> {
  const script = entries.map(({ name }) => `if (Object.keys(await import('${name}')).length === 0 && '${name}' !== '@ropewalk/interface') throw new Error('${name} exports nothing')`).join('\n')
  await run(path, ['--input-type=module', '--eval', script], { cwd: directory, timeoutMs: EXAMPLE_TIMEOUT_MS })
}

/** Runs what `bin` names, with --version and with --help. */
export async function runBins ({ manifest }: Package, { path }: NodeVersion, directory: string): Promise<void> {
  for (const script of Object.values(manifest.bin ?? {})) {
    const program = join(directory, 'node_modules', manifest.name, script)
    for (const flag of ['--version', '--help']) {
      const printed = await run(path, [program, flag], { cwd: directory, timeoutMs: EXAMPLE_TIMEOUT_MS })
      if (printed.trim() === '') throw new Error(`${script} ${flag} prints nothing`)
    }
  }
}

/** What the example imports that the package itself does not bring: of the workspace as tarballs, others as the workspace has them. */
export function exampleNeeds (pkg: Package, example: string, tarballs: Tarballs, catalog: ReadonlyMap<string, string>): Record<string, string> {
  const needs: Record<string, string> = {}
  for (const name of importedPackages(example)) {
    if (name === pkg.name) continue
    const source = tarballs.get(name)
    const range = source === undefined ? rangeOf(name, pkg.manifest, catalog) : `file:${source}`
    needs[name] = range
  }
  return needs
}

/** Writes the example into `directory` and runs it; resolves to what it printed. */
export async function runExample (example: string, { path }: NodeVersion, directory: string): Promise<string> {
  const file = join(directory, 'example.ts')
  await writeFile(file, example)
  return await run(path, ['--disable-warning=ExperimentalWarning', file], { cwd: directory, timeoutMs: EXAMPLE_TIMEOUT_MS })
}

function rangeOf (name: string, manifest: Manifest, catalog: ReadonlyMap<string, string>): string {
  const range = manifest.dependencies?.[name] ?? manifest.devDependencies?.[name]
  if (range === undefined) throw new Error(`the example imports ${name}, which the package does not name`)
  const found = range === 'catalog:' ? catalog.get(name) : range
  if (found === undefined) throw new Error(`${name} is not in the catalog of ${ROOT}pnpm-workspace.yaml`)
  return found
}
