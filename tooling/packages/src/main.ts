/**
 * The packages as they are published. Ends with `N passed, N failed`.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exampleNeeds, importEntries, installAlone, runBins, runExample, type Tarballs } from './alone.ts'
import { checkApi } from './api.ts'
import { readCatalog } from './catalog.ts'
import { Checks } from './checks.ts'
import { fetchNodes, type NodeVersion } from './nodes.ts'
import { rehearseRelease } from './release.ts'
import { checkSize, readCeilings, sizeOf } from './size.ts'
import { checkTypes, lintTarball, pack } from './tarball.ts'
import { firstExample, publishedPackages, type Package } from './workspace.ts'

const checks = new Checks()
const scratch = await mkdtemp(join(tmpdir(), 'ropewalk-packages-'))
try {
  const packages = publishedPackages()
  const tarballs = await packAll(packages)
  const nodes = await checks.check('Node 22, 24 and 26 are to be had', () => fetchNodes(join(scratch, 'nodes'))) ?? []
  const ceilings = readCeilings()
  for (const pkg of packages) {
    await describe(pkg, tarballs)
    for (const entry of pkg.entries) {
      await checks.check(`${entry.name}: its API is the one in api/`, () => checkApi(pkg, entry))
      await checks.check(`${entry.name}: its size is below its ceiling`, async () => checkSize(entry.name, await sizeOf(pkg, entry), ceilings[entry.name]))
    }
    await install(pkg, tarballs, nodes)
  }
  await rehearseRelease(checks, join(scratch, 'release'))
} finally {
  await rm(scratch, { recursive: true, force: true })
}
console.log(`${checks.passed} passed, ${checks.failed} failed`)
process.exitCode = checks.failed > 0 || checks.passed === 0 ? 1 : 0

async function packAll (packages: readonly Package[]): Promise<Tarballs> {
  const tarballs = new Map<string, string>()
  for (const pkg of packages) {
    const tarball = await checks.check(`${pkg.name}: is packed`, () => pack(pkg, scratch))
    if (tarball !== undefined) tarballs.set(pkg.name, tarball)
  }
  return tarballs
}

async function describe (pkg: Package, tarballs: Tarballs): Promise<void> {
  const tarball = tarballs.get(pkg.name)
  if (tarball === undefined) return
  await checks.check(`${pkg.name}: publint has nothing to say`, () => lintTarball(pkg, tarball))
  if (pkg.entries.length > 0) await checks.check(`${pkg.name}: the types are right`, () => checkTypes(tarball))
}

async function install (pkg: Package, tarballs: Tarballs, nodes: readonly NodeVersion[]): Promise<void> {
  const directory = join(scratch, 'alone', pkg.name)
  const installed = await checks.check(`${pkg.name}: is installed alone`, async () => {
    await installAlone(pkg, tarballs, directory)
    return true
  })
  if (installed !== true) return
  for (const node of nodes) {
    if (pkg.entries.length > 0) await checks.check(`${pkg.name}: every entry point is imported by Node ${node.name}`, () => importEntries(pkg, node, directory))
    if (pkg.manifest.bin !== undefined) await checks.check(`${pkg.name}: its programs start on Node ${node.name}`, () => runBins(pkg, node, directory))
  }
  const example = firstExample(pkg.readme)
  if (example === undefined) {
    if (pkg.manifest.bin === undefined) await checks.check(`${pkg.name}: the README has an example`, () => { throw new Error('no block of ts') })
    return
  }
  const beside = join(scratch, 'example', pkg.name)
  const ready = await checks.check(`${pkg.name}: what its example imports is installed`, async () => {
    await installAlone(pkg, tarballs, beside, exampleNeeds(pkg, example, tarballs, readCatalog()))
    return true
  })
  if (ready !== true) return
  for (const node of nodes) await checks.check(`${pkg.name}: the example of its README runs on Node ${node.name}`, () => runExample(example, node, beside))
}
