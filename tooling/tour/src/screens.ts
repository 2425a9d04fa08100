/**
 * Writes docs/screens.md: the five most used commands as a person sees them, recorded with tmux in a terminal of 80 columns.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const [COLUMNS, LINES] = [80, 24]

/** How long a screen may take to show what it is waited for. Ours. */
const SCREEN_MS = 60_000

const folder = mkdtempSync(join(tmpdir(), 'screens-'))
const tmux = (...args: string[]): string => execFileSync('tmux', ['-S', join(folder, 'socket'), '-f', '/dev/null', ...args], { encoding: 'utf8' })

/** A person's terminal, with a machine of its own. */
class Screen {
  readonly #name: string

  constructor (name: string) {
    this.#name = name
    const home = join(folder, name)
    mkdirSync(home)
    const env = { ROPEWALK_STATE: join(home, '.state'), ROPEWALK_NAME: name, PATH: `${folder}:${process.env['PATH'] ?? ''}`, PS1: '$ ', HOME: home, LANG: 'C.UTF-8' }
    tmux('new-session', '-d', '-s', name, '-x', String(COLUMNS), '-y', String(LINES), '-c', home, 'env', ...Object.entries(env).map(([key, value]) => `${key}=${value}`), 'bash', '--norc', '--noprofile')
  }

  type (...keys: string[]): void {
    tmux('send-keys', '-t', this.#name, ...keys)
  }

  /** What is seen as soon as `wanted` is. */
  async see (wanted: RegExp): Promise<string> {
    const late = AbortSignal.timeout(SCREEN_MS)
    for (;;) {
      const seen = tmux('capture-pane', '-p', '-t', this.#name).trimEnd()
      if (wanted.test(seen)) return seen
      if (late.aborted) throw new Error(`${wanted} is not seen:\n${seen}`)
      await sleep(50)
    }
  }

  /** The same, with long lines in one piece. */
  lines (): string {
    return tmux('capture-pane', '-pJ', '-t', this.#name)
  }

  clear (): void {
    tmux('send-keys', '-R', '-t', this.#name)
    tmux('clear-history', '-t', this.#name)
    this.type('C-l')
  }
}

/** The prompt again, behind what a command has said. */
const DONE = /\n\$$/

const sections: string[] = []
const add = (title: string, text: string, seen: string): void => { sections.push(`## ${title}\n\n${text}\n\n\`\`\`\n${seen.replace(/\n\$$/, '').replaceAll(folder, '~')}\n\`\`\`\n`) }

try {
  writeFileSync(join(folder, 'ropewalk'), `#!/bin/sh\nexec '${process.execPath}' --conditions=@ropewalk/source '${join(ROOT, 'apps/ropewalk/src/main.ts')}' "$@"\n`, { mode: 0o755 })
  const [laptop, desk] = [new Screen('laptop'), new Screen('desk')]
  for (let index = 1; index <= 3; index++) writeFileSync(join(folder, `desk/holiday-${index}.mov`), Buffer.alloc(index * 4 * 1024 * 1024, `reel ${index}`))
  await laptop.see(/\$$/)
  laptop.type('ropewalk serve --listen mdsftp+tls://127.0.0.1:7740 --inbox Inbox --web', 'Enter')
  const serving = await laptop.see(/Ctrl-C stops/)
  add('`ropewalk serve`', 'A node that stores objects, receives from peers, and shows a page.', serving)
  const address = /mdsftp\+tls:\/\/\S+#\S+/.exec(laptop.lines())?.[0] ?? ''

  await desk.see(/\$$/)
  desk.type(`export NODE='${address}'`, 'Enter')
  desk.clear()
  desk.type('ropewalk put *.mov --to "$NODE" > stored.tsv', 'Enter')
  add('`ropewalk put`', 'Files go to a node; ids, sizes and SHA-256 go to standard output, here into a file.', await desk.see(DONE))
  desk.clear()
  desk.type('ropewalk get $(cut -f1 stored.tsv) --from "$NODE" -o back/', 'Enter')
  add('`ropewalk get`', 'They come back, each whole before it has its name.', await desk.see(DONE))

  const other = new Screen('phone')
  await other.see(/\$$/)
  other.type(`export ROPEWALK_STATE='${join(folder, 'laptop/.state')}'`, 'Enter')
  other.clear()
  other.type('ropewalk pair', 'Enter')
  const pairing = await other.see(/\d\d-\S+/)
  const code = /\d\d-[a-z0-9-]+/.exec(pairing)?.[0] ?? ''
  const port = /:(\d+)\b/.exec(/Listening on \[?::\]?:(\d+)/.exec(serving)?.[0] ?? ':7741')?.[1] ?? '7741'
  desk.type(`ropewalk pair ${code} 127.0.0.1:${port}`, 'Enter')
  await desk.see(DONE)
  await other.see(DONE)
  desk.clear()
  desk.type('ropewalk send holiday-1.mov holiday-2.mov laptop --wait', 'Enter')
  await desk.see(/awaiting|waiting/i)
  other.clear()
  other.type('ropewalk accept desk', 'Enter')
  add('`ropewalk accept`', 'On the laptop, what the desk has offered is received.', await other.see(DONE))
  add('`ropewalk send`', 'And on the desk, who offered it knows that it has arrived.', await desk.see(DONE))
  writeFileSync(join(ROOT, 'docs/screens.md'), `# Screens\n\nThe five most used commands as a terminal of ${COLUMNS} columns shows them, recorded with tmux by \`pnpm --filter @ropewalk/tour run screens\`.\n\n${sections.join('\n')}`)
} finally {
  try {
    tmux('kill-server')
  } catch {
    // No terminal was opened.
  }
  rmSync(folder, { recursive: true, force: true })
}
