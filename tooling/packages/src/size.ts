/**
 * How much an entry point costs whoever bundles it: one module, minified and gzipped.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { rolldown } from 'rolldown'
import type { Entry, Package } from './workspace.ts'

/** Most bytes of each entry point, minified and gzipped with all that it imports but Node's own modules. */
export type Ceilings = Readonly<Record<string, number>>

export function readCeilings (): Ceilings {
  return JSON.parse(readFileSync(new URL('../sizes.json', import.meta.url), 'utf8')) as Ceilings
}

export async function sizeOf ({ folder }: Package, { script }: Entry): Promise<number> {
  const build = await rolldown({ input: `${folder}/${script}`, platform: 'node', resolve: { conditionNames: ['import', 'default'] }, external: /\.node$/, logLevel: 'silent' })
  const { output } = await build.generate({ format: 'esm', minify: true })
  await build.close()
  const code = output.flatMap(file => file.type === 'chunk' ? [file.code] : []).join('\n')
  return (await promisify(gzip)(code)).length
}

/** A ceiling is a multiple of this: the smallest entry points are far below theirs. Ours. */
const SLACK_BYTES = 500

/** Throws where `bytes` are more than the ceiling, or so few that it says nothing any more. */
export function checkSize (name: string, bytes: number, ceiling: number | undefined): void {
  if (ceiling === undefined) throw new Error(`${name} has no ceiling in sizes.json; it has ${bytes} bytes`)
  if (bytes > ceiling) throw new Error(`${bytes} > ${ceiling} bytes: say why in the change, and raise the ceiling in sizes.json`)
  if (bytes < ceiling / 2 - SLACK_BYTES) throw new Error(`${bytes} bytes are less than half of ${ceiling}: lower the ceiling in sizes.json`)
}
