/**
 * Peers of a swarm as real processes.
 *
 * @module
 */
import { randomInt } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Command, factsOf, folder, run } from './processes.ts'

/** Ports begin here, and end before those that systems give to whoever asks for any, from 32768 on: one of them may be another's before we use it. */
const [FIRST_PORT, PORTS] = [10_000, 22_000]

/** Ports that nobody listens on now. The wire names peers by their ports, so they must be known before anybody joins. */
export async function freePorts (count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = FIRST_PORT + randomInt(PORTS)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

async function isFree (port: number): Promise<boolean> {
  return await new Promise(resolve => {
    const server = createServer().once('error', () => { resolve(false) })
    server.listen(port, '127.0.0.1', () => { server.close(() => { resolve(true) }) })
  })
}

/** A peer as a process, and what it has said. */
export class Peer {
  readonly directory: string
  readonly state: string
  readonly args: readonly string[]
  command: Command

  constructor (root: string, number: number, args: readonly string[]) {
    this.directory = join(root, `peer-${number}`)
    this.state = join(root, `state-${number}`)
    this.args = ['swarm', 'join', '--json', '--dir', this.directory, ...args]
    this.command = this.#begin()
  }

  restart (): void {
    this.command = this.#begin()
  }

  async whole (name: string): Promise<void> {
    await this.command.until(({ stdout }) => factsOf(stdout, 'finished').some(fact => fact['name'] === `files/${name}`))
  }

  async joined (): Promise<void> {
    await this.command.until(({ stdout }) => factsOf(stdout, 'joined').length > 0)
  }

  async run (...args: string[]): ReturnType<typeof run> {
    return await run(['swarm', ...args], { state: this.state })
  }

  /** What `swarm query` tells once it is these rows, or the last of 50 times: that another peer is whole comes with that peer's next announcement. */
  async told (rows: readonly string[]): Promise<string[]> {
    let told: string[] = []
    for (let times = 0; times < 50 && told.join('\n') !== rows.join('\n'); times++) {
      told = (await this.run('query')).stdout.trimEnd().split('\n').sort()
    }
    return told
  }

  #begin (): Command {
    return new Command(this.args, { state: this.state })
  }
}

/** Peers that have all joined. They are killed after the test. */
export async function swarm (t: { teardown (work: () => unknown): unknown }, count: number, more: readonly string[] = ['--profile', 'hardened']): Promise<Peer[]> {
  const root = await folder(t)
  const ports = await freePorts(count)
  const list = join(root, 'peers.txt')
  await writeFile(list, ports.map(port => `127.0.0.1 ${port}\n`).join(''))
  const peers = ports.map((port, index) => new Peer(root, index, ['--peers', list, '--as', `127.0.0.1:${port}`, ...more]))
  t.teardown(() => { for (const { command } of peers) command.kill('SIGKILL') })
  await Promise.all(peers.map(async peer => { await peer.joined() }))
  return peers
}
