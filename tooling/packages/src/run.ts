import { spawn } from 'node:child_process'

export interface RunOptions {
  readonly cwd: string
  /** Beside what the shell had. */
  readonly env?: Readonly<Record<string, string>>
  /** After this the process is killed, and the run has failed. */
  readonly timeoutMs?: number
}

/** Runs a program to its end. Resolves to what it printed; rejects, with all of that, where it did not end with 0. */
export async function run (command: string, args: readonly string[], { cwd, env = {}, timeoutMs = 300_000 }: RunOptions): Promise<string> {
  const child = spawn(command, args, { cwd, env: { ...environment(), ...env }, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs, killSignal: 'SIGKILL' })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
  const code = await new Promise<number | string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exit, signal) => resolve(exit ?? signal ?? 'unknown'))
  })
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${code}\n${stdout}${stderr}`)
  return stdout
}

/** Without what package managers and test runners tell those they start. */
function environment (): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|pnpm_|tap|NODE_OPTIONS$|NODE_PATH$|INIT_CWD$)/i.test(name)))
}
