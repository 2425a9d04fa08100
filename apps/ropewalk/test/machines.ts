/**
 * Two machines of two people, as processes with a state and a folder each.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Command, factsOf, folder, run, type BeginOptions, type Ended, type Fact } from './processes.ts'

/** Where machines are that others must not hear. */
export interface Network {
  /** What starts a program there. */
  readonly within: readonly string[]
}

interface Test { teardown (work: () => Promise<void> | void): unknown }

export class Machine {
  readonly name: string
  readonly state: string
  readonly files: string
  /** The network that it is in, and whether its node takes part in discovery there. */
  readonly network: Network | undefined
  /** Where peers reach its node. */
  address = ''
  #node: Command | undefined
  readonly #t: Test

  constructor (t: Test, name: string, state: string, files: string, network?: Network) {
    this.#t = t
    this.name = name
    this.state = state
    this.files = files
    this.network = network
  }

  get inbox (): string {
    return join(this.files, 'Inbox')
  }

  get node (): Command {
    if (this.#node === undefined) throw new Error('no node')
    return this.#node
  }

  begin (...args: string[]): Command {
    const command = new Command(args, this.#options())
    this.#t.teardown(() => { command.kill('SIGKILL') })
    return command
  }

  async run (...args: string[]): Promise<Ended> {
    return await run(args, this.#options())
  }

  /** Facts that a command prints which should succeed. */
  async facts (event: string, ...args: string[]): Promise<Fact[]> {
    const { code, stdout, stderr } = await this.run(...args, '--json')
    if (code !== 0) throw new Error(`${args.join(' ')}: ${String(code)} ${stdout}${stderr}`)
    return factsOf(stdout, event)
  }

  /** A node that receives; resolves to where peers reach it: HOST:PORT. */
  async serve (...args: string[]): Promise<string> {
    this.#node = this.begin('serve', '--inbox', 'Inbox', ...this.network === undefined ? ['--no-discover'] : [], '--json', ...args.includes('--peers') ? [] : ['--peers', '127.0.0.1:0'], ...args)
    await this.#node.until(({ stdout }) => factsOf(stdout, 'listening').length > 0)
    this.address = String(factsOf(this.#node.stdout, 'listening')[0]?.['address']).split('#')[0] as string
    return this.address
  }

  async stop (signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.node.kill(signal)
    return await this.node.ended
  }

  /** Its offers, as a node tells that runs. */
  async offers (): Promise<Fact[]> {
    return await this.facts('offer', 'offers')
  }

  #options (): BeginOptions {
    return { state: this.state, cwd: this.files, env: { ROPEWALK_NAME: this.name }, within: this.network?.within }
  }
}

export async function machine (t: Test, name: string, network?: Network): Promise<Machine> {
  return new Machine(t, name, await folder(t as never), await folder(t as never), network)
}

/** A laptop whose node runs, and a desk that has paired with it. */
export async function pairOf (t: Test, ...serve: string[]): Promise<{ readonly desk: Machine, readonly laptop: Machine, readonly address: string }> {
  const [desk, laptop] = [await machine(t, 'desk'), await machine(t, 'laptop')]
  const address = await laptop.serve(...serve)
  await pairAgain(desk, laptop)
  return { desk, laptop, address }
}

/** Desk pairs with the laptop, whose node runs. */
export async function pairAgain (desk: Machine, laptop: Machine): Promise<void> {
  const waiting = laptop.begin('pair', '--json')
  await waiting.until(({ stdout }) => factsOf(stdout, 'code').length > 0)
  await desk.facts('paired', 'pair', String(factsOf(waiting.stdout, 'code')[0]?.['code']), laptop.address, '--no-discover')
  const { code, stdout, stderr } = await waiting.ended
  if (code !== 0) throw new Error(`${stdout}${stderr}`)
}

/** Everything below a folder: kind, permissions, time of change, content. */
export async function treeOf (root: string): Promise<Record<string, string>> {
  const tree: Record<string, string> = {}
  for (const name of (await readdir(root, { recursive: true })).sort()) {
    const path = join(root, name)
    const stat = await lstat(path)
    const what = stat.isSymbolicLink() ? await readlink(path) : stat.isDirectory() ? 'folder' : await digestOf(path)
    tree[name] = `${(stat.mode & 0o7777).toString(8)} ${Math.trunc(stat.mtimeMs)} ${what}`
  }
  return tree
}

async function digestOf (path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const bytes of createReadStream(path)) hash.update(bytes as Uint8Array)
  return hash.digest('hex')
}
