import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import type { Entry } from './entries.ts'

/** Scripts by file name. What an entry became is under its name with `.js`. */
export type Bundle = ReadonlyMap<string, string>

/** Makes modules for browsers of `entries`, with what they share in chunks of their own. Fails for what only Node has. */
export async function bundle (entries: readonly Entry[]): Promise<Bundle> {
  const build = await rolldown({
    input: Object.fromEntries(entries.map(({ name, path }) => [name, fileURLToPath(path)])),
    platform: 'browser',
    resolve: { conditionNames: ['@ropewalk/source', 'browser', 'import', 'default'] },
    preserveEntrySignatures: 'strict',
    onLog: (level, log) => { if (level === 'warn') throw new Error(log.message) }
  })
  const { output } = await build.generate({ format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'shared/[name]-[hash].js' })
  await build.close()
  const scripts = new Map(output.flatMap(file => file.type === 'chunk' ? [[file.fileName, file.code] as const] : []))
  for (const file of output) {
    if (file.type !== 'chunk') continue
    const missing = [...file.imports, ...file.dynamicImports].filter(name => !scripts.has(name))
    if (missing.length > 0) throw new Error(`${file.fileName} imports ${missing.join(', ')}, which no browser has`)
  }
  return scripts
}
