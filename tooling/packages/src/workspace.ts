/**
 * The packages that are published, as their manifests say.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const ROOT: string = fileURLToPath(new URL('../../../', import.meta.url))

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly exports?: Readonly<Record<string, { readonly types: string, readonly default: string }>>
  readonly bin?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

export interface Package {
  readonly name: string
  readonly manifest: Manifest
  /** Absolute, without a slash at the end. */
  readonly folder: string
  readonly readme: string
  /** What can be imported: `@ropewalk/muxer-mdsftp/codec`. */
  readonly entries: readonly Entry[]
}

export interface Entry {
  readonly name: string
  /** From the package's folder: `./dist/codec.js`. */
  readonly script: string
  readonly types: string
}

/** Every package that is published, libraries first. */
export function publishedPackages (): Package[] {
  return ['packages', 'apps'].flatMap(parent => readdirSync(`${ROOT}${parent}`).sort().flatMap(name => {
    const folder = `${ROOT}${parent}/${name}`
    if (!existsSync(`${folder}/package.json`)) return []
    const manifest = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as Manifest
    if (manifest.private === true) return []
    return [{ name: manifest.name, manifest, folder, readme: readFileSync(`${folder}/README.md`, 'utf8'), entries: entriesOf(manifest) }]
  }))
}

/** The first example of a README that is a program; undefined where there is none. */
export function firstExample (readme: string): string | undefined {
  return /```ts\n([\s\S]*?)```/.exec(readme)?.[1]
}

/** The packages that `source` imports, without their entry points, built-in modules left out. */
export function importedPackages (source: string): string[] {
  const names = Array.from(source.matchAll(/from '([^'.][^']*)'|import '([^'.][^']*)'/g), ([, from, alone]) => (from ?? alone) as string)
  return [...new Set(names.filter(name => !name.startsWith('node:')).map(name => name.split('/').slice(0, name.startsWith('@') ? 2 : 1).join('/')))]
}

function entriesOf ({ name, exports = {} }: Manifest): Entry[] {
  return Object.entries(exports).map(([key, conditions]) => ({ name: name + key.slice(1), script: conditions.default, types: conditions.types }))
}
