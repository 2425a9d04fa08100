/**
 * Ours: two nodes of the built command line, paired and trusted before, and the receiver started anew.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { profile } from '../profile.ts'
import type { Command } from '../transfer/mover.ts'
import { freePort, startNode, stop } from '../transfer/server.ts'
import { begin } from '../transfer/watch.ts'
import type { Sender } from './sender.ts'

const MAIN: string = fileURLToPath(new URL('../../../../apps/ropewalk/dist/main.js', import.meta.url))

export const ropewalk: Sender = {
  about: 'ropewalk serve --auto-accept and send --wait, as built, over TLS 1.3',

  async receive ({ source, inbox, nothing, state }) {
    const env = (name: string): NodeJS.ProcessEnv => ({ ...process.env, ROPEWALK_STATE: join(state, name), ROPEWALK_NAME: name })
    const address = `127.0.0.1:${await freePort()}`
    const serve = [MAIN, 'serve', '--json', '--inbox', inbox, '--peers', address, '--no-discover', '--auto-accept']
    // Keys are made and peers are paired once, and not by the node that is measured.
    const { child: first } = await startNode(process.execPath, serve, env('there'))
    try {
      await pair(address, env('there'), env('here'))
      execFileSync(process.execPath, [MAIN, 'trust', 'here'], { env: env('there'), stdio: 'ignore' })
    } finally {
      await stop(first)
    }
    const { child } = await startNode(process.execPath, [...profile('warpdrive', 'serve'), ...serve], env('there'))
    const command = (what: string, role: string): Command => (
      { file: process.execPath, args: [...profile('warpdrive', role), MAIN, 'send', what, 'there', '--wait', '--no-discover'], env: env('here') }
    )
    return { pid: child.pid, send: { ...command(source, 'send'), idle: command(nothing, 'idle') }, stop: () => stop(child) }
  }
}

async function pair (address: string, there: NodeJS.ProcessEnv, here: NodeJS.ProcessEnv): Promise<void> {
  const waiting = begin(process.execPath, [MAIN, 'pair', '--json'], { env: there })
  const ended = new Promise(resolve => { waiting.once('close', resolve) })
  for await (const line of createInterface({ input: waiting.stdout as NodeJS.ReadableStream })) {
    const { event, code } = JSON.parse(line) as { event: string, code?: string }
    if (event === 'code') execFileSync(process.execPath, [MAIN, 'pair', String(code), address, '--no-discover'], { env: here, stdio: 'ignore' })
  }
  await ended
}
