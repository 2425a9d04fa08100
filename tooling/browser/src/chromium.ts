import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chromium, type BrowserContext } from 'playwright-core'

/** Where Debian puts it. */
const DEBIAN = '/usr/bin/chromium'

const ARGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync'
]

/** Where Chromium is. Installs it when it is missing, and fails when that cannot be done. */
export function findChromium (): string {
  const named = process.env['CHROMIUM']
  if (named !== undefined && named !== '') return named
  if (!existsSync(DEBIAN)) install()
  return DEBIAN
}

/** A browser with a profile of its own in `directory`. */
export function openChromium (directory: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(directory, { executablePath: findChromium(), args: ARGS, viewport: { width: 900, height: 640 } })
}

function install (): void {
  if (process.getuid?.() !== 0) throw new Error(`${DEBIAN} is missing, and only root can install it: apt-get install chromium`)
  console.error('# chromium is missing: installing it')
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'chromium']]) {
    const { status, error, stderr } = spawnSync('apt-get', args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, encoding: 'utf8' })
    if (status !== 0) throw new Error(`chromium is missing, and apt-get ${args[0] ?? ''} failed: ${error?.message ?? stderr}`)
  }
  if (!existsSync(DEBIAN)) throw new Error(`apt-get has installed chromium, but ${DEBIAN} is not there`)
}
