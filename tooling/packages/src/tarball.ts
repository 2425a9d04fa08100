/**
 * What a reader of the registry would get: is it packed right?
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { problemKindInfo } from '@arethetypeswrong/core/problems'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { run } from './run.ts'
import type { Package } from './workspace.ts'

/** Ours are modules, and say so: whoever uses `require` of old, or resolution of before `exports`, is not served. */
const NOT_SERVED: ReadonlySet<string> = new Set(['node10', 'node16-cjs'])

/** Packs `pkg` into `directory`; resolves to the path of the tarball. */
export async function pack ({ folder }: Package, directory: string): Promise<string> {
  const { filename } = JSON.parse(await run('pnpm', ['pack', '--json', '--pack-destination', directory], { cwd: folder })) as { filename: string }
  return filename
}

/** Throws with everything that publint has to say. */
export async function lintTarball ({ manifest }: Package, tarball: string): Promise<void> {
  const bytes = await readFile(tarball)
  const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
  const { messages } = await publint({ pack: { tarball: data }, level: 'warning', strict: true })
  if (messages.length > 0) throw new Error(messages.map(message => formatMessage(message, { ...manifest }, { color: false }) ?? message.code).join('\n'))
}

/** Throws where the types of an entry point are not those of its script. */
export async function checkTypes (tarball: string): Promise<void> {
  const result = await checkPackage(createPackageFromTarballData(await readFile(tarball)))
  if (result.types === false) throw new Error('it has no types')
  const problems = result.problems.filter(problem => !('resolutionKind' in problem) || !NOT_SERVED.has(problem.resolutionKind))
  if (problems.length > 0) {
    throw new Error(problems.map(problem => `${'entrypoint' in problem ? `${problem.entrypoint}: ` : ''}${problemKindInfo[problem.kind].title}`).join('\n'))
  }
}
