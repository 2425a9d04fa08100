import stylistic from '@stylistic/eslint-plugin'
import tseslint from 'typescript-eslint'
import { MAX_LINES } from './layers.mjs'

/** How the text looks, and what no file may contain. */
export const style = {
  plugins: { '@stylistic': stylistic, '@typescript-eslint': tseslint.plugin },
  rules: {
    '@stylistic/semi': ['error', 'never'],
    '@stylistic/quotes': ['error', 'single', { avoidEscape: true }],
    '@stylistic/space-before-function-paren': ['error', 'always'],
    '@stylistic/indent': ['error', 2, { SwitchCase: 1 }],
    '@stylistic/comma-dangle': ['error', 'never'],
    '@stylistic/no-trailing-spaces': 'error',
    '@stylistic/no-multiple-empty-lines': ['error', { max: 1, maxBOF: 0, maxEOF: 0 }],
    '@stylistic/eol-last': 'error',
    '@typescript-eslint/no-explicit-any': 'error',
    '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' }],
    '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description' }],
    'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx', 'hack'], location: 'anywhere' }],
    'no-var': 'error',
    'no-debugger': 'error',
    'prefer-const': 'error',
    eqeqeq: ['error', 'always', { null: 'ignore' }],
    'no-restricted-syntax': ['error',
      { selector: 'TSEnumDeclaration', message: 'Not erasable: const Kind = { … } as const, with type Kind' },
      { selector: 'TSModuleDeclaration[declare!=true]', message: 'Not erasable: a file is a module' },
      { selector: 'TSParameterProperty', message: 'Not erasable: declare the field and assign it' },
      { selector: 'PropertyDefinition[accessibility="private"], MethodDefinition[accessibility="private"][kind!="constructor"]', message: 'Private is #private' }
    ]
  }
}

/** The cap on one file. Over it: split by noun. */
export const size = {
  files: ['src/**'],
  rules: { 'max-lines': ['error', { max: MAX_LINES, skipBlankLines: true, skipComments: true }] }
}
