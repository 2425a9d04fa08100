/**
 * Everything of one file system to the disk, again and again. To start a program takes a large process ten milliseconds and more, so there is one that
 * waits: a shell, which runs `sync -f` for each line that it is told, and says how that ended. It goes with whoever has started it, however that ends.
 *
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'

/** `1` for each flush that has succeeded, `0` for each that has not. */
const SCRIPT = 'while read -r _; do if sync -f -- . 2>/dev/null; then printf 1; else printf 0; fi; done'

export class Flusher {
  readonly #folder: string
  /** Who waits, in the order in which they have asked. */
  readonly #asked: Array<(flushed: boolean) => void> = []
  #child: ChildProcess | undefined
  /** Whether there is such a program: until one has failed. */
  #able = process.platform === 'linux'

  /** Of the file system that `folder` is in. Where a name is looked up anew, it is when the first flush begins. */
  constructor (folder: string) {
    this.#folder = folder
  }

  /** True when everything that was written there before the call is on the disk. Never rejects. */
  async flush (): Promise<boolean> {
    if (!this.#able) return false
    const child = this.#child ??= this.#begin()
    return await new Promise<boolean>(resolve => {
      if (this.#asked.push(resolve) === 1) hold(child, true)
      child.stdin?.write('\n')
    })
  }

  /** Whoever waits is told false. */
  close (): void {
    this.#able = false
    this.#child?.stdin?.destroy()
    this.#child?.kill()
    this.#end()
  }

  #begin (): ChildProcess {
    const child = spawn('/bin/sh', ['-c', SCRIPT], { cwd: this.#folder, stdio: ['pipe', 'pipe', 'ignore'] })
    hold(child, false)
    child.on('error', () => { this.#end() })
    child.on('exit', () => { this.#end() })
    child.stdin?.on('error', () => { this.#end() })
    child.stdout?.on('data', (answers: Buffer) => {
      for (const answer of answers) this.#asked.shift()?.(answer === ONE)
      if (this.#asked.length === 0) hold(child, false)
    })
    return child
  }

  #end (): void {
    this.#able = false
    for (const told of this.#asked.splice(0)) told(false)
  }
}

const ONE = 0x31

/** Whether the process stays for it. */
function hold (child: ChildProcess, on: boolean): void {
  for (const handle of [child, child.stdin as Socket | null, child.stdout as Socket | null]) {
    if (on) handle?.ref()
    else handle?.unref()
  }
}
