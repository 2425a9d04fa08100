import { spawn } from 'node:child_process'
import type { AbortOptions } from '@ropewalk/interface'
import { TreeError, systemCode } from './errors.ts'

export interface ToolOptions extends AbortOptions {
  /** Where it runs. */
  cwd?: string | undefined
  /** What it reads. */
  input?: Buffer | undefined
  maxBytes: number
}

export interface ToolResult {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

/** Runs a program of the machine, without a shell. `undefined` where it is not installed. */
export async function runTool (program: string, args: ReadonlyArray<string>, { cwd, input, maxBytes, signal }: ToolOptions): Promise<ToolResult | undefined> {
  signal?.throwIfAborted()
  return await new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' }, signal })
    const pieces: Buffer[] = []
    let bytes = 0
    let stderr = ''
    let failure: Error | undefined
    child.on('error', error => {
      const code = systemCode(error)
      // The second where a folder of PATH may not be searched, and none of the others has it.
      if (code === 'ENOENT' || (code === 'EACCES' && cwd === undefined)) resolve(undefined)
      else reject(error)
    })
    child.stdout.on('data', (piece: Buffer) => {
      bytes += piece.length
      if (bytes > maxBytes) {
        failure ??= new TreeError('ERR_UNSUPPORTED', `${program}: more than ${maxBytes} bytes`)
        child.kill()
      } else pieces.push(piece)
    })
    child.stderr.on('data', (piece: Buffer) => { if (stderr.length < 4096) stderr += piece.toString('latin1') })
    child.on('close', code => {
      if (failure === undefined) resolve({ code, stdout: Buffer.concat(pieces), stderr })
      else reject(failure)
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}
