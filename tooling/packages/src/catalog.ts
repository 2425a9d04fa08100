import { readFileSync } from 'node:fs'
import { ROOT } from './workspace.ts'

/** The versions that the workspace shares, by name. Of the file only the block `catalog:` is read, a line each. */
export function readCatalog (): Map<string, string> {
  const lines = readFileSync(`${ROOT}pnpm-workspace.yaml`, 'utf8').split('\n')
  const begin = lines.indexOf('catalog:')
  const end = lines.findIndex((line, index) => index > begin && line !== '' && !line.startsWith(' '))
  return new Map(lines.slice(begin + 1, end).flatMap(line => {
    const [, name, range] = /^ {2}'?([^':]+)'?: (.+)$/.exec(line) ?? []
    return name === undefined || range === undefined ? [] : [[name, range]]
  }))
}
