import { basename, posix, relative, sep } from 'node:path'
import { ADAPTERS, fits, layerOf, NODE_FOLDERS, PIPELINE_FILES, PURE_FILES, PURE_PACKAGES, WAITING_FILES } from './layers.mjs'

/**
 * What the place of a file says about it.
 *
 * @param {string} folder of the package, from the root of the workspace: `packages/flow`
 * @param {string} path of the file, from the package: `src/ring.ts`
 */
export function placeOf (folder, path) {
  const [kind, name] = folder.split('/')
  const role = basename(path).replace(/\.\w+$/, '')
  const production = path.startsWith('src/') && kind !== 'tooling'
  const library = production && kind === 'packages'
  const forNode = library && isForNode(name, path)
  const portable = library && !ADAPTERS.includes(name) && !forNode
  return {
    kind,
    name,
    path,
    production,
    portable,
    tests: path.startsWith('test/') || (name === 'testing' && /-suite\b/.test(path)),
    pure: production && (fits(role, PURE_FILES) || (library && PURE_PACKAGES.includes(name))),
    waits: library && (WAITING_FILES[name] ?? []).includes(role),
    pipeline: library && PIPELINE_FILES.includes(role),
    layer: library ? layerOf(name) ?? [] : undefined
  }
}

/** True for a file of a portable package that only Node runs. */
export function isForNode (name, path) {
  return (NODE_FOLDERS[name] ?? []).some(folder => path.startsWith(folder))
}

/** The place of the file that ESLint is looking at. ESLint runs in the folder of the package. */
export function placeIn (context) {
  return placeOf(context.settings.ropewalk.folder, relative(context.cwd, context.filename).replaceAll(sep, '/'))
}

/** Where a relative import leads, from the package. It starts with `..` when it leaves the package. */
export function relativeTarget (path, specifier) {
  return posix.normalize(posix.join(posix.dirname(path), specifier))
}
