/**
 * The API of each entry point as text, so that a change of it is seen in review: `api/`.
 *
 * @module
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'
import { ROOT, type Entry, type Package } from './workspace.ts'

const REPORTS = fileURLToPath(new URL('../api/', import.meta.url))

/** Where the report of `entry` is kept. */
export function reportPath ({ name }: Entry): string {
  return join(REPORTS, `${name.replace('@ropewalk/', '').replaceAll('/', '.')}.api.md`)
}

/** Says what can be imported from `entry`, by what was built. */
export async function describeApi (pkg: Package, entry: Entry): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ropewalk-api-'))
  try {
    const tsconfig = join(directory, 'tsconfig.json')
    await writeFile(tsconfig, JSON.stringify({ compilerOptions: { module: 'NodeNext', moduleResolution: 'NodeNext', target: 'ES2022', lib: ['ES2023', 'ESNext.Disposable', 'DOM'], strict: true, skipLibCheck: true, types: ['node'], typeRoots: [join(ROOT, 'node_modules/@types')] }, files: [join(pkg.folder, entry.types)] }))
    const config = ExtractorConfig.prepare({
      configObject: {
        projectFolder: pkg.folder,
        mainEntryPointFilePath: join(pkg.folder, entry.types),
        compiler: { tsconfigFilePath: tsconfig, skipLibCheck: true },
        apiReport: { enabled: true, reportFileName: 'report', reportFolder: directory, reportTempFolder: join(directory, 'temp') },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        newlineKind: 'lf',
        messages: { compilerMessageReporting: { default: { logLevel: 'none' } }, extractorMessageReporting: { default: { logLevel: 'none' } }, tsdocMessageReporting: { default: { logLevel: 'none' } } } as never
      },
      configObjectFullPath: undefined,
      packageJsonFullPath: join(pkg.folder, 'package.json')
    })
    await mkdir(join(directory, 'temp'), { recursive: true })
    const failures: string[] = []
    Extractor.invoke(config, {
      localBuild: true,
      messageCallback: message => {
        if (message.logLevel === ExtractorLogLevel.Error) failures.push(message.text)
        message.handled = true
      }
    })
    if (failures.length > 0) throw new Error(failures.join('\n'))
    return await readFile(join(directory, 'temp', 'report.api.md'), 'utf8')
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** Throws where the API is not the one that was written down. */
export async function checkApi (pkg: Package, entry: Entry): Promise<void> {
  const now = await describeApi(pkg, entry)
  const before = await readFile(reportPath(entry), 'utf8').catch(() => '')
  if (now === before) return
  const [was, is] = [before.split('\n'), now.split('\n')]
  const gone = was.filter(line => !is.includes(line)).map(line => `- ${line}`)
  const come = is.filter(line => !was.includes(line)).map(line => `+ ${line}`)
  throw new Error([`the API is not that of ${reportPath(entry).slice(REPORTS.length)}; "pnpm --filter @ropewalk/packages api" writes it anew:`, ...gone, ...come].slice(0, 40).join('\n'))
}
