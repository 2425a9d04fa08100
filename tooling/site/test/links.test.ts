import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { anchorsOf, rewriteLinks } from '../src/links.ts'
import { collectPages, ROOT, type Page } from '../src/pages.ts'

const page = (source: string, place: string, text: string): Page => ({ source, place, title: source, text })
const flow = page('packages/flow/README.md', 'packages/flow/index.md', '# flow\n\n## What it promises\n')
const workspace = { pages: [flow, page('README.md', 'index.md', '# Ropewalk')], exists: (path: string) => path === 'LICENSE' }

t.test('a link to a file that is a page is a link to that page', async t => {
  const at = (text: string): string => rewriteLinks(page('README.md', 'index.md', text), workspace).text
  t.equal(at('[flow](packages/flow)'), '[flow](/packages/flow/)')
  t.equal(at('[flow](packages/flow/README.md#what-it-promises)'), '[flow](/packages/flow/#what-it-promises)')
  t.equal(rewriteLinks(page('packages/mux/README.md', 'packages/mux/index.md', '[up](../../README.md)'), workspace).text, '[up](/)')
})

t.test('a file that is no page keeps its words and loses its link', async t => {
  t.same(rewriteLinks(page('README.md', 'index.md', '[MIT](LICENSE)'), workspace), { text: 'MIT', broken: [] })
})

t.test('a link to nothing is found, and so is one to a heading that is not there', async t => {
  t.match(rewriteLinks(page('README.md', 'index.md', '[gone](packages/gone)'), workspace).broken, [/packages\/gone is not there/])
  t.match(rewriteLinks(page('README.md', 'index.md', '[flow](packages/flow#limits)'), workspace).broken, [/no heading #limits/])
})

t.test('addresses elsewhere and code stay as they are', async t => {
  const text = '[h2](https://example.org/h2) and\n\n```ts\nrows[0](first)\n```\n'
  t.equal(rewriteLinks(page('README.md', 'index.md', text), workspace).text, text)
})

t.test('no link of the documentation leads nowhere', async t => {
  const pages = collectPages()
  t.same(pages.flatMap(each => rewriteLinks(each, { pages, exists: path => existsSync(join(ROOT, path)) }).broken), [])
  t.ok(pages.length > 60)
})

t.test('headings become anchors by their words', async t => {
  t.ok(anchorsOf('## `--json`\n').has('json'))
  t.ok(anchorsOf('### A, b & c\n').has('a-b-c'))
})
