/**
 * Which key which node has, as far as this user has said so: a text file, a line a node, for people to read and edit.
 *
 *      127.0.0.1:7740 sha256=9f86d081…
 *
 * @module
 */
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, fileError, RopewalkError } from './errors.ts'
import { makeStateDirectory } from './state-directory.ts'

const FILE = 'known-nodes'

export interface KnownNode {
  readonly fingerprint: string
  /** Of the file, from 1. */
  readonly line: number
}

export class KnownNodes {
  readonly path: string
  readonly #state: string

  constructor (state: string) {
    this.#state = state
    this.path = join(state, FILE)
  }

  /** The last line for `hostPort` counts. */
  async find (hostPort: string): Promise<KnownNode | undefined> {
    let text: string
    try {
      text = await readFile(this.path, 'utf8')
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw this.#unusable(error)
    }
    let found: KnownNode | undefined
    for (const [index, line] of text.split('\n').entries()) {
      const [name, value = ''] = line.trim().split(/\s+/)
      if (name !== hostPort) continue
      const digits = /^sha256=([\da-f]{64})$/.exec(value)
      // Read as nothing, it would make a node unknown that has a key: somebody could then offer another.
      if (digits === null) throw new RopewalkError('ERR_STATE', `${this.path}:${index + 1}: after the node comes sha256= and 64 hex digits`)
      found = { fingerprint: digits[1] as string, line: index + 1 }
    }
    return found
  }

  async add (hostPort: string, fingerprint: string): Promise<void> {
    await makeStateDirectory(this.#state)
    try {
      await appendFile(this.path, `${hostPort} sha256=${fingerprint}\n`, { mode: 0o600, flush: true })
    } catch (error) {
      throw this.#unusable(error)
    }
  }

  #unusable (error: unknown): RopewalkError {
    return new RopewalkError('ERR_STATE', `${this.path}: ${fileError(error).message}`, { cause: error })
  }
}
