import { readdirSync, readFileSync } from 'node:fs'
import type { Sources } from './check.ts'

const PACKAGES = new URL('../../../packages/', import.meta.url)

/** The source files and tests of the package in that folder. */
export function readSources (folder: string): Sources {
  return { code: texts(new URL(`${folder}/src/`, PACKAGES)), tests: texts(new URL(`${folder}/test/`, PACKAGES)) }
}

function texts (folder: URL): Map<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(path => path.endsWith('.ts'))
  return new Map(paths.map(path => [path, readFileSync(new URL(path, folder), 'utf8')]))
}
