import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { ADAPTERS } from '@ropewalk/lint'

const PACKAGES = new URL('../../../packages/', import.meta.url)
const SOURCE = '@ropewalk/source'

/** Something that can be imported in a browser. */
export interface Entry {
  /** As in an import: `@ropewalk/protocol-mdsftp/codec`. */
  readonly name: string
  readonly path: URL
}

/** Every entry point that promises to run unchanged in a browser: those of the packages that are no adapters, without `./node`. */
export function portableEntries (): Entry[] {
  return readdirSync(PACKAGES).filter(folder => !ADAPTERS.includes(folder)).sort().flatMap(folder => {
    const root = new URL(`${folder}/`, PACKAGES)
    if (!existsSync(new URL('package.json', root))) return []
    const { name, exports } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { name: string, exports: Record<string, Record<string, string>> }
    return Object.entries(exports).filter(([key]) => key !== './node').map(([key, conditions]) => ({
      name: name + key.slice(1),
      path: new URL(conditions[SOURCE] as string, root)
    }))
  })
}
