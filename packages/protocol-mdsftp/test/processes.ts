/** Processes that say what they do, line by line, and are killed. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export class Player implements AsyncDisposable {
  readonly process: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #ended: Promise<unknown[]>

  /** `flags` are for Node, `values` for the script. */
  constructor (script: string, values: string[], flags: string[] = []) {
    this.process = spawn(process.execPath, [...flags, '--conditions=@ropewalk/source', fileURLToPath(new URL(script, import.meta.url)), ...values], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#ended = once(this.process, 'close')
    const lines: Interface = createInterface(this.process.stdout as NonNullable<ChildProcess['stdout']>)
    this.#lines = lines[Symbol.asyncIterator]()
  }

  /** The next line as its words; nothing when the process has ended. */
  async next (): Promise<string[] | undefined> {
    const { done, value } = await this.#lines.next()
    return done === true ? undefined : String(value).split(' ')
  }

  async expect (word: string): Promise<string> {
    const [first, value = ''] = await this.next() ?? []
    if (first !== word) throw new Error(`heard ${first ?? 'the end'} instead of ${word}`)
    return value
  }

  /** Says something to the process. */
  say (line: string): void {
    this.process.stdin?.write(`${line}\n`)
  }

  async kill (): Promise<void> {
    this.process.kill('SIGKILL')
    await this.#ended
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.kill()
  }
}
