import tseslint from 'typescript-eslint'
import { exports } from './rules/exports.mjs'
import { fileName } from './rules/file-name.mjs'
import { honestTests } from './rules/honest-tests.mjs'
import { imports } from './rules/imports.mjs'
import { portable } from './rules/portable.mjs'
import { pure } from './rules/pure.mjs'
import { typesOnly } from './rules/types-only.mjs'
import { size, style } from './style.mjs'

const rules = { imports, pure, portable, exports, 'types-only': typesOnly, 'honest-tests': honestTests, 'file-name': fileName }

/**
 * The flat config for one package. Nobody switches a rule off in a comment: an exception is a line in `layers.mjs`.
 *
 * @param {string} folder from the root of the workspace: `packages/flow`
 * @param {object} manifest its package.json
 */
export function config (folder, manifest) {
  return [
    { ignores: ['dist/**', '.tap/**', '.turbo/**'] },
    {
      files: ['**/*.ts', '**/*.mjs'],
      languageOptions: { parser: tseslint.parser, sourceType: 'module' },
      linterOptions: { noInlineConfig: true },
      settings: { ropewalk: { folder, manifest } },
      ...style,
      plugins: { ...style.plugins, ropewalk: { rules } },
      rules: { ...style.rules, ...Object.fromEntries(Object.keys(rules).map(name => [`ropewalk/${name}`, 'error'])) }
    },
    size
  ]
}
