/**
 * The command line within the process of the test.
 *
 * @module
 */
import { PassThrough, Readable } from 'node:stream'
import { turn } from '@ropewalk/testing'
import type { Context } from '../src/context.ts'
import { run } from '../src/program.ts'

export interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface SayOptions {
  readonly tty?: boolean
  /** Of the terminal. */
  readonly columns?: number
  readonly input?: string
  /** The clock. Default: the machine's. */
  readonly now?: () => number
  readonly signal?: AbortSignal
}

/** Runs `args` to their end, without a process. */
export async function say (args: readonly string[], env: NodeJS.ProcessEnv = {}, { tty = false, columns = 80, input = '', now = () => performance.now(), signal = new AbortController().signal }: SayOptions = {}): Promise<Said> {
  const [out, err] = [collector(tty, columns), collector(tty, columns)]
  const context: Context = {
    stdin: Readable.from(input === '' ? [] : [Buffer.from(input)]), stdout: out.stream, stderr: err.stream, env, signal, now
  }
  const code = await run(args, context)
  // Lines are written together, at the end of a turn.
  await turn()
  return { code, stdout: out.text(), stderr: err.text() }
}

function collector (tty: boolean, columns: number): { stream: Context['stdout'], text: () => string } {
  const stream = new PassThrough()
  let text = ''
  stream.setEncoding('utf8').on('data', (piece: string) => { text += piece })
  return { stream: Object.assign(stream, { isTTY: tty, columns }) as unknown as Context['stdout'], text: () => { const rest = stream.read() as string | null; return text + (rest ?? '') } }
}
