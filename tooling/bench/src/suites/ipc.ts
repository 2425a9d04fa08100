/**
 * Suite `ipc`: an upload with a token through a unix socket, beside a plain pipe of the same bytes.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Case, Sample, Size } from '../measure.ts'
import { profile } from '../profile.ts'

const MB = 1e6
const MIB = 1_048_576
const PROGRAM: string = fileURLToPath(new URL('../ipc/program.ts', import.meta.url))

/** Who is measured, and by what the bytes are divided for who would take all day. */
export const UPLOADERS: Readonly<Record<string, { readonly about: string, readonly share: number }>> = {
  raw: { about: 'net.Socket on a unix path, 64 KiB a write', share: 1 },
  ropewalk: { about: 'upload(), profile readme: blocks of 16 KiB, 64 under way, each hashed on both sides', share: 1 },
  original: { about: 'uploadFinal(), as the original: 1000 bytes, one at a time; a 64th of the bytes', share: 64 }
}

export function ipcCases (wanted: readonly string[]): Case[] {
  return [{
    suite: 'ipc',
    name: 'upload-unix',
    title: '1 GiB through a unix socket into a store that keeps nothing (128 MiB with --quick)',
    subjects: Object.keys(UPLOADERS).filter(name => name === 'raw' || wanted.includes(name)),
    absent: [],
    run: upload
  }]
}

interface Facts {
  ready?: true
  began?: number
  ended?: number
  cpuSeconds?: number
  rssBytes?: number
}

async function upload (subject: string, { quick }: Size): Promise<Sample[]> {
  const bytes = (quick ? 128 : 1024) * MIB / (UPLOADERS[subject]?.share ?? 1)
  const folder = mkdtempSync(join(tmpdir(), 'ropewalk-bench-'))
  try {
    const start = (role: string): Side => new Side(subject, role, [join(folder, 'sock'), String(bytes)])
    const server = start('server')
    await server.until(({ ready }) => ready === true)
    const client = start('client')
    const [served, sent] = await Promise.all([server.ended(), client.ended()])
    const seconds = ((served.ended ?? NaN) - (sent.began ?? NaN)) / 1e9
    return [{
      metric: 'throughput',
      unit: 'MB/s',
      value: bytes / seconds / MB,
      cpuSeconds: (served.cpuSeconds ?? NaN) + (sent.cpuSeconds ?? NaN),
      rssBytes: Math.max(served.rssBytes ?? NaN, sent.rssBytes ?? NaN)
    }]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** One process, and what it has said. */
class Side {
  readonly #closed: Promise<Facts>
  readonly #facts: Facts = {}
  #look: () => void = () => {}

  constructor (subject: string, role: string, args: readonly string[]) {
    const child = spawn(process.execPath, [...profile(`ipc-${subject}`, role), PROGRAM, role, subject, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let complaint = ''
    child.stderr.on('data', text => { complaint = (complaint + String(text)).slice(-4000) })
    createInterface({ input: child.stdout }).on('line', line => {
      Object.assign(this.#facts, JSON.parse(line))
      this.#look()
    })
    this.#closed = once(child, 'close').then(([code]) => {
      if (code !== 0) throw new Error(`the ${role} of ${subject} ended with ${String(code)}: ${complaint}`)
      return this.#facts
    })
    this.#closed.catch(() => {})
  }

  async until (condition: (facts: Facts) => boolean): Promise<void> {
    await Promise.race([this.#closed, new Promise<void>(resolve => {
      this.#look = () => { if (condition(this.#facts)) resolve() }
      this.#look()
    })])
  }

  async ended (): Promise<Facts> {
    return await this.#closed
  }
}
