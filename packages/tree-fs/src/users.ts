import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** Names of users and groups by their numbers: from the files of the machine, else from whatever service `getent` asks. */
export class Names {
  readonly #database: 'passwd' | 'group'
  #known: Map<number, string | undefined> | undefined

  constructor (database: 'passwd' | 'group') {
    this.#database = database
  }

  async of (id: number): Promise<string | undefined> {
    this.#known ??= parse(await readFile(`/etc/${this.#database}`, 'utf8').catch(() => ''))
    if (!this.#known.has(id)) this.#known.set(id, parse(await ask(this.#database, String(id))).get(id))
    return this.#known.get(id)
  }

  async numberOf (name: string): Promise<number | undefined> {
    this.#known ??= parse(await readFile(`/etc/${this.#database}`, 'utf8').catch(() => ''))
    for (const [id, known] of this.#known) if (known === name) return id
    // A name that is a number, or an option, is asked for by nobody.
    const asked = /^[a-z_][\w.@-]*\$?$/i.test(name) ? parse(await ask(this.#database, name)) : []
    for (const [id, known] of asked) {
      if (known !== name) continue
      this.#known.set(id, name)
      return id
    }
    return undefined
  }
}

async function ask (database: string, key: string): Promise<string> {
  try {
    return (await promisify(execFile)('getent', [database, key])).stdout
  } catch {
    return ''
  }
}

/** The first line of a number counts. */
function parse (text: string): Map<number, string> {
  const names = new Map<number, string>()
  for (const line of text.split('\n')) {
    const [name, , id] = line.split(':')
    if (name === undefined || id === undefined || !/^\d+$/.test(id)) continue
    if (!names.has(Number(id))) names.set(Number(id), name)
  }
  return names
}
