import { ESLint } from 'eslint'
import { config } from '../src/index.mjs'

/** Declares everything, so that what is refused is refused by the rule under test. */
export const MANIFEST = {
  name: '@ropewalk/planted',
  dependencies: Object.fromEntries([
    'interface', 'framing', 'flow', 'libp2p', 'muxer-mdsftp', 'muxer-yamux', 'protocol-mdsftp', 'disk', 'receive', 'store-fs', 'transport-tcp', 'testing', 'lint'
  ].map(name => [`@ropewalk/${name}`, 'workspace:^']).concat([['uint8arraylist', 'catalog:'], ['it-pipe', 'catalog:'], ['it-pushable', 'catalog:'], ['ropewalk', 'workspace:^']])),
  devDependencies: { tap: 'catalog:' }
}

/** The rules that refuse `text` at `file` (`packages/flow/src/ring.ts`), each once, without their plugin's name. */
export async function refusals (file: string, text: string, manifest: object = MANIFEST): Promise<string[]> {
  const [kind, name, ...path] = file.split('/')
  const cwd = `/planted/${kind}/${name}`
  const eslint = new ESLint({ cwd, overrideConfigFile: true, overrideConfig: config(`${kind}/${name}`, manifest) })
  const results = await eslint.lintText(text, { filePath: `${cwd}/${path.join('/')}` })
  const messages = results.flatMap(result => result.messages)
  return [...new Set(messages.map(({ ruleId, message }) => ruleId?.replace(/^.*\//, '') ?? message))]
}

/** One planted violation or good neighbour: where, what, and the rule that refuses it (none: accepted). */
export type Case = readonly [file: string, text: string, rule?: string]

interface Asserts {
  same (found: unknown, wanted: unknown, message?: string): unknown
}

/** Checks every case: refused by that rule and no other, or accepted. */
export async function check (t: Asserts, cases: readonly Case[]): Promise<void> {
  for (const [file, text, rule] of cases) {
    t.same(await refusals(file, text), rule === undefined ? [] : [rule], `${rule === undefined ? 'accepts' : 'refuses'} ${text.trim().split('\n')[0]} in ${file}`)
  }
}
