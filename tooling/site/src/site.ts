/**
 * Writes the pages, and lets VitePress make a site of them.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { build, type DefaultTheme, type UserConfig } from 'vitepress'
import { rewriteLinks } from './links.ts'
import { collectPages, ROOT, type Page } from './pages.ts'

/** Makes the site in `output`, by way of `scratch`. Resolves to the number of its pages; rejects where a link leads nowhere. */
export async function makeSite (scratch: string, output: string): Promise<number> {
  const pages = collectPages()
  const workspace = { pages, exists: (path: string) => existsSync(join(ROOT, path)) }
  const broken: string[] = []
  await rm(scratch, { recursive: true, force: true })
  for (const page of pages) {
    const rewritten = rewriteLinks(page, workspace)
    broken.push(...rewritten.broken)
    const path = join(scratch, page.place)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, `---\ntitle: ${JSON.stringify(page.title)}\n---\n\n${escapeTemplates(rewritten.text)}`)
  }
  if (broken.length > 0) throw new Error(`links that lead nowhere:\n${broken.join('\n')}`)
  await mkdir(join(scratch, '.vitepress'), { recursive: true })
  await writeFile(join(scratch, '.vitepress/config.mjs'), `export default ${JSON.stringify(config(pages, output))}\n`)
  await build(scratch)
  return pages.length
}

function config (pages: readonly Page[], output: string): UserConfig<DefaultTheme.Config> {
  const under = (prefix: string): DefaultTheme.SidebarItem[] => pages.filter(({ place }) => place.startsWith(prefix)).map(({ place, title }) => ({ text: title, link: `/${place.replace(/index\.md$/, '').replace(/\.md$/, '')}` }))
  return {
    title: 'Ropewalk',
    description: 'Files over multiplexed streams.',
    outDir: output,
    cleanUrls: true,
    lastUpdated: false,
    ignoreDeadLinks: false,
    themeConfig: {
      search: { provider: 'local' },
      outline: [2, 3],
      nav: [{ text: 'Command line', link: '/ropewalk/' }, { text: 'Examples', link: '/examples/' }, { text: 'Architecture', link: '/architecture' }],
      sidebar: [
        { text: 'Begin', items: [{ text: 'Ropewalk', link: '/' }, ...under('ropewalk/'), ...under('architecture'), ...under('contributing')] },
        { text: 'Packages', items: under('packages/') },
        { text: 'Examples', collapsed: true, items: under('examples/') },
        { text: 'Documents', items: under('docs/') },
        { text: 'API', collapsed: true, items: under('api/') }
      ]
    }
  }
}

/** Two braces mean something to VitePress, and nothing to us. */
function escapeTemplates (text: string): string {
  return text.split(/(^```[\s\S]*?^```)/m).map((part, index) => index % 2 === 1 ? part : part.replaceAll('{{', '&#123;&#123;')).join('')
}
