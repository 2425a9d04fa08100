/**
 * Links between files, made links between pages. A link to nothing is an error.
 *
 * @module
 */
import { posix } from 'node:path'
import type { Page } from './pages.ts'

export interface Workspace {
  readonly pages: readonly Page[]
  /** Whether there is a file or folder at this path from the root. */
  readonly exists: (path: string) => boolean
}

export interface Rewritten {
  readonly text: string
  /** Links that lead nowhere, as sentences. */
  readonly broken: readonly string[]
}

/** Rewrites the links of one page. What is in the workspace but no page becomes its name: the site has no sources to show. */
export function rewriteLinks (page: Page, { pages, exists }: Workspace): Rewritten {
  const broken: string[] = []
  const text = outsideCode(page.text, prose => prose.replace(/(?<!!)\[((?:[^\]\\]|\\.)*)\]\(([^)\s]+)\)/g, (whole: string, label: string, target: string) => {
    if (/^[a-z]+:/.test(target)) return whole
    const [path = '', anchor] = target.split('#')
    const file = path === '' ? page.source : posix.normalize(posix.join(posix.dirname(page.source), path)).replace(/\/$/, '')
    const to = pages.find(({ source }) => source === file || source === `${file}/README.md`)
    if (to === undefined) {
      if (!exists(file)) broken.push(`${page.source}: ${target} is not there`)
      return label
    }
    if (anchor !== undefined && !anchorsOf(to.text).has(anchor)) broken.push(`${page.source}: ${to.source} has no heading #${anchor}`)
    const url = `/${to.place.replace(/(^|\/)index\.md$/, '$1').replace(/\.md$/, '')}`
    return `[${label}](${url}${anchor === undefined ? '' : `#${anchor}`})`
  }))
  return { text, broken }
}

/** The anchors of a page's headings, as they are made of their words. */
export function anchorsOf (text: string): Set<string> {
  return new Set(Array.from(text.matchAll(/^#{1,6} (.+)$/gm), ([, heading = '']) => heading.toLowerCase().replace(/`|\*/g, '').replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '')))
}

/** Changes what is not code: neither fenced nor between back-ticks. */
function outsideCode (text: string, change: (prose: string) => string): string {
  return text.split(/(^```[\s\S]*?^```)/m).map((part, index) => index % 2 === 1 ? part : change(part)).join('')
}
