import { isBuiltin } from 'node:module'
import { CONCRETE, CONCRETE_ALLOWED, fits } from './layers.mjs'
import { isForNode, relativeTarget } from './place.mjs'

/**
 * Why the file at `place` may not import `specifier`; undefined when it may.
 *
 * @param {ReturnType<import('./place.mjs').placeOf>} place
 * @param {string} specifier
 * @param {{ name?: string, dependencies?: object, peerDependencies?: object, optionalDependencies?: object, devDependencies?: object }} manifest of the package
 */
export function refuseImport (place, specifier, manifest) {
  if (specifier.startsWith('.')) return refuseRelative(place, specifier)
  if (isBuiltin(specifier)) return refuseBuiltin(place, specifier)
  const name = packageName(specifier)
  if (name === 'it-pushable') return 'it-pushable is unbounded: use BoundedQueue of @ropewalk/flow'
  if (place.pure && name.startsWith('it-')) return `${place.path} is pure: it works on bytes, not on streams of them`
  return refuseWorkspace(place, name) ?? refuseUndeclared(place, name, manifest)
}

function refuseRelative (place, specifier) {
  const target = relativeTarget(place.path, specifier)
  if (place.tests && target.startsWith('../../fixtures/')) return undefined
  if (target === '..' || target.startsWith('../')) return `${specifier} climbs out of the package: depend on the package by its name`
  if (place.portable && isForNode(place.name, target)) return `${specifier} is for Node: packages/${place.name} runs in browsers`
  if (place.production && /^(test|demo)\//.test(target)) return `${specifier} is not published: src imports nothing from there`
  return undefined
}

function refuseBuiltin (place, specifier) {
  if (place.tests && /^(node:)?timers(\/promises)?$/.test(specifier)) return 'Tests wait for events or drive a VirtualClock, never for time'
  if (place.tests && specifier.startsWith('node:test')) return 'Tests are written with tap: it is what gets counted'
  if (!specifier.startsWith('node:')) return `Write node:${specifier}`
  if (place.pure) return `${place.path} is pure: it does no I/O`
  if (place.pipeline) return `${place.path} is a pipeline: the machine comes in as an argument`
  if (place.portable) return `packages/${place.name} runs in browsers: only adapters import ${specifier}`
  return undefined
}

function refuseWorkspace (place, name) {
  if (name === 'ropewalk') return place.kind === 'packages' ? 'apps are not imported: they choose, nothing chooses them' : undefined
  if (!name.startsWith('@ropewalk/')) return undefined
  const other = name.slice('@ropewalk/'.length)
  if (!place.production) return undefined
  if (other === place.name && place.kind === 'packages') return 'A package imports its own files by path'
  if (other === 'testing') return '@ropewalk/testing is for tests only'
  if (place.pipeline && fits(other, CONCRETE) && !(CONCRETE_ALLOWED[place.name] ?? []).includes(other)) {
    return `${place.path} is a pipeline: a concrete ${other} comes in as an argument`
  }
  if (place.layer !== undefined && !place.layer.includes(other)) {
    return `${place.name} may import: ${place.layer.join(', ') || 'nothing of the workspace'} (tooling/lint/src/layers.mjs)`
  }
  return undefined
}

function refuseUndeclared (place, name, manifest) {
  if (name === manifest.name) return undefined
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies, ...(place.production ? {} : manifest.devDependencies) }
  if (name in declared) return undefined
  return place.production ? `${name} is not among the dependencies of package.json` : `${name} is not in package.json`
}

function packageName (specifier) {
  return specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}
