/**
 * Runs the tests in the browser, and ends with `N passed, N failed`.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { findChromium } from './chromium.ts'

let [passed, failed] = [0, 1]
try {
  console.log(`# ${findChromium()}`)
  const { output, exitCode } = await run()
  passed = count(output, 'pass')
  failed = count(output, 'fail')
  if (failed === 0 && (exitCode !== 0 || passed === 0)) failed = 1
} catch (error) {
  console.error(error)
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

async function run (): Promise<{ output: string, exitCode: number }> {
  const tap = spawn('tap', { cwd: fileURLToPath(new URL('..', import.meta.url)), stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NO_COLOR: '1' } })
  const exited = new Promise<number>((resolve, reject) => {
    tap.once('error', reject)
    tap.once('exit', code => resolve(code ?? 1))
  })
  let output = ''
  for await (const text of tap.stdout.setEncoding('utf8')) {
    output += text as string
    process.stdout.write(text as string)
  }
  return { output, exitCode: await exited }
}

/** From the summary of tap: `# { total: 12, pass: 11, fail: 1 }`. */
function count (output: string, word: 'pass' | 'fail'): number {
  const summary = output.split('\n').findLast(line => line.startsWith('# { total: ')) ?? ''
  return Number(new RegExp(`\\b${word}: (\\d+)`).exec(summary)?.[1] ?? 0)
}
