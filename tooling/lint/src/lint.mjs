import { ESLint } from 'eslint'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { config } from './config.mjs'
import { refuseManifest } from './refuse-manifest.mjs'

/**
 * Everything that is refused in the package at `path`: the text for a reader, and how much.
 *
 * @param {string} path the folder of the package
 * @returns {Promise<{ text: string, refused: number, files: number }>}
 */
export async function lint (path) {
  const folder = `${basename(dirname(path))}/${basename(path)}`
  const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'))
  const eslint = new ESLint({ cwd: path, overrideConfigFile: true, overrideConfig: config(folder, manifest), errorOnUnmatchedPattern: false })
  const results = await eslint.lintFiles(['**/*.ts', '**/*.mjs'])
  const manifestErrors = refuseManifest(folder, manifest, file => hasContent(join(path, file)))
  const formatter = await eslint.loadFormatter('stylish')
  const text = [
    await formatter.format(results),
    ...manifestErrors.map(message => `${folder}/package.json  ${message}`)
  ].filter(part => part !== '').join('\n')
  const refused = manifestErrors.length + results.reduce((sum, { errorCount, warningCount }) => sum + errorCount + warningCount, 0)
  return { text, refused, files: results.length }
}

function hasContent (path) {
  if (!existsSync(path)) return false
  return statSync(path).isDirectory() ? readdirSync(path).length > 0 : statSync(path).size > 0
}
