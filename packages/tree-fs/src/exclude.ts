/**
 * What a file of patterns in a folder leaves out, as casync's `.caexclude` has it: a line is a pattern of names; with a slash in it, a path
 * from that folder on; with one at its end, of folders only; with a `!` in front, of what stays in.
 *
 * @module
 */
import { MAX_EXCLUDE_BYTES } from './constants.ts'
import { TreeError } from './errors.ts'

interface Rule {
  readonly keep: boolean
  readonly foldersOnly: boolean
  /** Of the path from the folder of the file on, or of the name alone. */
  readonly anchored: boolean
  readonly pattern: RegExp
}

/** The rules that hold in a folder: its own before those of the folders above. */
export class Exclusions {
  readonly #rules: readonly Rule[]
  readonly #prefix: string
  readonly #above: Exclusions | undefined

  constructor (rules: readonly Rule[] = [], prefix: string = '', above?: Exclusions) {
    this.#rules = rules
    this.#prefix = prefix
    this.#above = above
  }

  /** Those of the folder `path`, whose file of patterns holds `text`. */
  within (path: string, text: string): Exclusions {
    if (text.length > MAX_EXCLUDE_BYTES) throw new TreeError('ERR_UNSUPPORTED', `patterns in ${JSON.stringify(path)}: ${text.length} > ${MAX_EXCLUDE_BYTES} characters`, { path })
    return new Exclusions(parse(text), path === '' ? '' : `${path}/`, this)
  }

  /** Whether the node at `path` is left out. */
  excludes (path: string, isFolder: boolean): boolean {
    const name = path.slice(path.lastIndexOf('/') + 1)
    for (let level: Exclusions | undefined = this; level !== undefined; level = level.#above) {
      const below = path.slice(level.#prefix.length)
      const fitting = level.#rules.filter(rule => (isFolder || !rule.foldersOnly) && rule.pattern.test(rule.anchored ? below : name))
      if (fitting.some(rule => rule.keep)) return false
      if (fitting.length > 0) return true
    }
    return false
  }
}

function parse (text: string): Rule[] {
  return text.split('\n').map(line => line.trim()).filter(line => line !== '' && !line.startsWith('#')).map(line => {
    const keep = line.startsWith('!')
    const body = keep ? line.slice(1) : line
    const pattern = body.replace(/\/+$/, '').replace(/^\/+/, '')
    return { keep, foldersOnly: body.endsWith('/'), anchored: body.includes('/'), pattern: glob(pattern) }
  })
}

/** A pattern of the shell: `*` and `?` stop at slashes. */
function glob (pattern: string): RegExp {
  const source = pattern.replace(/\[(!?)([^\]]+)\]|\\(.)|[\s\S]/g, (all, not: string | undefined, set: string | undefined, escaped: string | undefined) => {
    if (set !== undefined) return `[${not === '!' ? '^' : ''}${set.replace(/[\\^[\]]/g, '\\$&')}]`
    if (escaped !== undefined) return literal(escaped)
    if (all === '*') return '[^/]*'
    return all === '?' ? '[^/]' : literal(all)
  })
  return new RegExp(`^${source}$`, 's')
}

function literal (character: string): string {
  return character.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}
