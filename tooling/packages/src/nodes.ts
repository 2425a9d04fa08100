/**
 * The versions of Node that the packages promise to run on, from npm.
 *
 * @module
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './run.ts'

export interface NodeVersion {
  readonly name: string
  readonly path: string
}

const MAJORS = [22, 24, 26]

/** Fetches each version into `directory`. Its package has the program itself, and no script that would fetch anything more. */
export async function fetchNodes (directory: string): Promise<NodeVersion[]> {
  const packageName = `node-${process.platform}-${process.arch}`
  const dependencies = Object.fromEntries(MAJORS.map(major => [`node-${major}`, `npm:${packageName}@^${major}`]))
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'package.json'), JSON.stringify({ private: true, dependencies }))
  await writeFile(join(directory, 'pnpm-workspace.yaml'), 'packages: []\n')
  await run('pnpm', ['install', '--prefer-offline'], { cwd: directory })
  return await Promise.all(MAJORS.map(async major => {
    const path = join(directory, 'node_modules', `node-${major}`, 'bin', 'node')
    return { name: (await run(path, ['--version'], { cwd: directory })).trim(), path }
  }))
}
