import { layerOf } from './layers.mjs'

const LICENSE = 'Apache-2.0 OR MIT'
const SOURCE = '@ropewalk/source'

/**
 * Everything that is wrong with the package.json of `folder`, as sentences.
 *
 * @param {string} folder from the root of the workspace: `packages/flow`
 * @param {object} manifest its package.json
 * @param {(path: string) => boolean} exists whether the package has a non-empty file there
 */
export function refuseManifest (folder, manifest, exists) {
  const [kind, name] = folder.split('/')
  if (kind === 'packages') return [...forAll(manifest, exists), ...forPublished(manifest, exists), ...forLibraries(name, manifest, exists)]
  if (kind === 'apps') return [...forAll(manifest, exists), ...forPublished(manifest, exists), ...forApps(manifest)]
  return [...forAll(manifest, exists)]
}

function * forAll (manifest, exists) {
  if (manifest.license !== LICENSE) yield `license is "${LICENSE}"`
  if (manifest.type !== 'module') yield 'type is "module"'
  if (!manifest.description) yield 'description is missing: one sentence'
  if (manifest.scripts?.lint === undefined) yield 'scripts.lint is missing'
  if (exists('test') && manifest.scripts?.test === undefined) yield 'scripts.test is missing, and there are tests'
  for (const [name, range] of allDependencies(manifest)) {
    if (isWorkspace(name) && range !== 'workspace:^') yield `${name} is "workspace:^"`
  }
}

function * forPublished (manifest, exists) {
  if (manifest.private === true) yield 'private: packages and apps are published, tooling is not'
  if (!exists('README.md')) yield 'README.md is missing'
  if (manifest.engines?.node === undefined) yield 'engines.node is missing'
  if (manifest.publishConfig?.access !== 'public') yield 'publishConfig.access is "public"'
  for (const entry of ['src', 'dist']) if (!manifest.files?.includes(entry)) yield `files lacks "${entry}"`
  for (const script of ['build', 'typecheck', 'test']) if (manifest.scripts?.[script] === undefined) yield `scripts.${script} is missing`
  for (const [name, range] of allDependencies(manifest)) {
    if (!isWorkspace(name) && range !== 'catalog:') yield `${name} is "catalog:", with its version in pnpm-workspace.yaml`
  }
  if (manifest.dependencies?.['@ropewalk/testing'] !== undefined) yield '@ropewalk/testing is a dev dependency'
}

function * forLibraries (name, manifest, exists) {
  if (manifest.name !== `@ropewalk/${name}`) yield `name is "@ropewalk/${name}": the folder with the scope`
  if (manifest.sideEffects !== false) yield 'sideEffects is false'
  yield * refuseExports(manifest.exports, exists)
  if (name.startsWith('protocol-') && manifest.exports?.['./codec'] === undefined) yield 'a protocol exports "./codec"'
  if (name.startsWith('protocol-') && !exists('WIRE.md')) yield 'a protocol has a WIRE.md'
  if (manifest.devDependencies?.ropewalk !== undefined) yield 'ropewalk is an app: nothing depends on it'
  yield * refuseLayer(name, manifest)
}

function * forApps (manifest) {
  if (Object.keys(manifest.bin ?? {}).length === 0) yield 'bin is missing'
}

function * refuseLayer (name, manifest) {
  const layer = layerOf(name)
  if (layer === undefined) {
    yield `packages/${name} is not in tooling/lint/src/layers.mjs`
    return
  }
  for (const other of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies }).filter(isWorkspace)) {
    if (other !== '@ropewalk/testing' && !layer.includes(other.replace('@ropewalk/', ''))) {
      yield `${other} is no dependency of ${name}: it may import ${layer.join(', ') || 'nothing of the workspace'}`
    }
  }
}

function * refuseExports (exports, exists) {
  if (exports?.['.'] === undefined) yield 'exports lacks "."'
  for (const [entry, conditions] of Object.entries(exports ?? {})) {
    const published = Object.keys(conditions).filter(key => key !== SOURCE)
    if (published[0] !== 'types') yield `exports["${entry}"] has "types" first (after "${SOURCE}")`
    if (published.at(-1) !== 'default') yield `exports["${entry}"] has "default" last`
    if (Object.keys(conditions)[0] !== SOURCE) yield `exports["${entry}"] begins with "${SOURCE}"`
    else if (!exists(conditions[SOURCE])) yield `exports["${entry}"] names ${conditions[SOURCE]}, which is not there`
  }
}

function allDependencies (manifest) {
  return Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies, ...manifest.devDependencies })
}

function isWorkspace (name) {
  return name === 'ropewalk' || name.startsWith('@ropewalk/')
}
