import { createInterface } from 'node:readline/promises'
import type { Context } from './context.ts'

/** Asks yes or no, where somebody sits at both ends; undefined where nobody does. No answer is no. */
export function prompter ({ stdin, stderr, signal }: Context): ((question: string) => Promise<boolean>) | undefined {
  if (stdin.isTTY !== true || stderr.isTTY !== true) return undefined

  return async question => {
    const lines = createInterface({ input: stdin, output: stderr })
    // In the mode that readline sets, the terminal sends Ctrl-C as a key.
    lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
    try {
      const answer = await lines.question(`${question} [y/N] `, { signal })
      return /^y(es)?$/i.test(answer.trim())
    } catch (error) {
      // What is said next begins on a line of its own.
      if (signal.aborted) stderr.write('\n')
      signal.throwIfAborted()
      throw error
    } finally {
      lines.close()
    }
  }
}
