import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSite } from './site.ts'

const directory = await mkdtemp(join(tmpdir(), 'browser-'))
const site = await openSite(directory, Number(process.argv[2] ?? 0))
console.log(`${site.url} serves the page. What is put there goes when this ends: Ctrl-C.`)

process.once('SIGINT', () => {
  void site.close().then(() => rm(directory, { recursive: true, force: true }))
})
