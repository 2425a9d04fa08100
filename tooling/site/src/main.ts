/** Makes the site in `dist/site/`. Ends with `N passed, N failed`: a page that was made has passed. */
import { fileURLToPath } from 'node:url'
import { makeSite } from './site.ts'

const place = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
try {
  const pages = await makeSite(place('../dist/pages'), place('../dist/site'))
  console.log(`${pages} passed, 0 failed`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  console.log('0 passed, 1 failed')
  process.exitCode = 1
}
