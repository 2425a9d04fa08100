/**
 * Which files of the workspace are pages, and where each stands on the site.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const ROOT: string = fileURLToPath(new URL('../../../', import.meta.url))

export interface Page {
  /** From the root of the workspace: `packages/flow/README.md`. */
  readonly source: string
  /** From the root of the site: `packages/flow/index.md`. */
  readonly place: string
  readonly title: string
  readonly text: string
}

/** Every page, in the order of the menu. */
export function collectPages (): Page[] {
  return [
    page('README.md', 'index.md', 'Ropewalk'),
    page('apps/ropewalk/README.md', 'ropewalk/index.md', 'The command line'),
    page('examples/README.md', 'examples/index.md', 'Examples'),
    ...examples(),
    ...packages(),
    ...documents(),
    page('ARCHITECTURE.md', 'architecture.md', 'Architecture'),
    page('CONTRIBUTING.md', 'contributing.md', 'Contributing'),
    ...api()
  ]
}

function examples (): Page[] {
  return list('examples').filter(name => name.endsWith('.ts')).map(name => {
    const source = `examples/${name}`
    const title = name.replace('.ts', '')
    return { source, place: `examples/${title}.md`, title, text: `# ${title}\n\n${'```ts'}\n${read(source)}${'```'}\n` }
  })
}

function packages (): Page[] {
  return list('packages').flatMap(name => {
    const folder = `packages/${name}`
    const wire = `${folder}/WIRE.md`
    return [page(`${folder}/README.md`, `${folder}/index.md`, name), ...existsSync(ROOT + wire) ? [page(wire, `${folder}/wire.md`, `${name}: the wire`)] : []]
  })
}

function documents (): Page[] {
  return list('docs').filter(name => name.endsWith('.md')).map(name => page(`docs/${name}`, `docs/${name}`, titleOf(read(`docs/${name}`)) ?? name))
}

function api (): Page[] {
  const folder = 'tooling/packages/api'
  return list(folder).map(name => page(`${folder}/${name}`, `api/${name.replace('.api.md', '.md').replaceAll('.', '-').replace(/-md$/, '.md')}`, name.replace('.api.md', '').replace('.', '/')))
}

function page (source: string, place: string, title: string): Page {
  return { source, place, title, text: read(source) }
}

function titleOf (text: string): string | undefined {
  return /^# (.+)$/m.exec(text)?.[1]
}

function list (folder: string): string[] {
  return readdirSync(ROOT + folder).sort()
}

function read (path: string): string {
  return readFileSync(ROOT + path, 'utf8')
}
