/**
 * Where peers were last reached: a text file, a line an address, for people to read and edit. Hints only: whoever answers there must have the key.
 *
 *      9f86d081…  192.168.1.17:7741
 *
 * @module
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, fileError, RopewalkError } from '../errors.ts'
import { makeStateDirectory } from '../state-directory.ts'

/** Addresses that are kept of one peer, the latest first. Ours. */
export const MAX_PEER_ADDRESSES = 4

export class PeerBook {
  readonly #path: string
  readonly #state: string
  readonly #addresses: Map<string, string[]>
  #written: Promise<void> = Promise.resolve()

  private constructor (state: string, path: string, addresses: Map<string, string[]>) {
    this.#state = state
    this.#path = path
    this.#addresses = addresses
  }

  static async open (state: string): Promise<PeerBook> {
    const path = join(state, 'peer-addresses')
    const addresses = new Map<string, string[]>()
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return ''
      throw new RopewalkError('ERR_STATE', `${path}: ${fileError(error).message}`, { cause: error })
    })
    for (const line of text.split('\n')) {
      const [, fingerprint = '', address = ''] = /^([\da-f]{64})\s+(\S+)$/.exec(line.trim()) ?? []
      if (address !== '') addresses.set(fingerprint, [...addresses.get(fingerprint) ?? [], address].slice(0, MAX_PEER_ADDRESSES))
    }
    return new PeerBook(state, path, addresses)
  }

  of (fingerprint: string): readonly string[] {
    return this.#addresses.get(fingerprint) ?? []
  }

  /** Puts an address first. */
  async remember (fingerprint: string, address: string): Promise<void> {
    const before = this.of(fingerprint)
    if (before[0] === address) return
    this.#addresses.set(fingerprint, [address, ...before.filter(other => other !== address)].slice(0, MAX_PEER_ADDRESSES))
    await this.#save()
  }

  async forget (fingerprint: string): Promise<void> {
    if (this.#addresses.delete(fingerprint)) await this.#save()
  }

  async #save (): Promise<void> {
    this.#written = this.#written.then(() => this.#write(), () => this.#write())
    await this.#written
  }

  async #write (): Promise<void> {
    const lines = Array.from(this.#addresses, ([fingerprint, addresses]) => addresses.map(address => `${fingerprint}  ${address}\n`).join(''))
    await makeStateDirectory(this.#state)
    await writeFile(`${this.#path}.new`, lines.join(''), { mode: 0o600 })
    await rename(`${this.#path}.new`, this.#path)
  }
}
