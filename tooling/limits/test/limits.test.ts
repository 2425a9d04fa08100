import { mkdirSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { check } from '../src/check.ts'
import { PACKAGES } from '../src/packages.ts'
import { page, type Valued } from '../src/page.ts'
import { readSources } from '../src/read.ts'

const valued: Valued[] = []

for (const { exports, ...said } of PACKAGES) {
  t.test(`${said.folder}: every constant is listed, every limit has its test`, async t => {
    const values = { ...await exports() }
    t.same(check(said, values, readSources(said.folder)), [])
    valued.push({ ...said, values })
  })
}

t.test('the page has every limit', async t => {
  const text = page(valued)
  for (const { folder, limits } of PACKAGES) {
    const section = text.split(`## ${folder}\n`)[1]?.split('\n## ')[0] ?? ''
    t.same(limits.filter(({ constant }) => !section.includes(`| \`${constant}\` |`)), [], folder)
  }
  t.notMatch(text, /NaN|undefined/)
  const docs = new URL('../../../docs/', import.meta.url)
  mkdirSync(docs, { recursive: true })
  writeFileSync(new URL('limits.md', docs), text)
})
