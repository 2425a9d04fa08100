/**
 * The parts of a transfer by its journal: what is whole, what has begun, and how much of it is to be trusted. Pure.
 *
 * @module
 */
import { MAX_TRANSFER_FILES } from './constants.ts'
import { ReceiveError } from './errors.ts'
import type { Fact } from './journal.ts'

/** One file of a transfer. */
export interface Part {
  readonly number: number
  readonly name: string
  /** Bytes that are there. */
  bytes: number
  /** So many of them were verified, and survive loss of power. */
  verified: number
  sealed: number | undefined
}

export interface FolderFacts { readonly mode: number | undefined, readonly mtimeMs: number | undefined }

export class PartsState {
  readonly folders: Map<string, FolderFacts> = new Map()
  readonly #boot: string | undefined
  readonly #parts = new Map<number, Part>()
  readonly #byName = new Map<string, number>()
  readonly #whole = new Set<string>()
  readonly #maxFiles: number
  #next = 0
  #lastBoot: string | undefined

  /** `boot` names the present start of the machine, where that is known. */
  constructor (boot: string | undefined, maxFiles: number = MAX_TRANSFER_FILES) {
    this.#boot = boot
    this.#maxFiles = maxFiles
  }

  get heldBytes (): number {
    let bytes = 0
    for (const part of this.#parts.values()) bytes += part.bytes
    return bytes
  }

  /** `ERR_QUOTA` when there are too many. */
  begin (name: string): Part {
    const count = this.#parts.size + this.#whole.size + 1
    if (count > this.#maxFiles) throw new ReceiveError('ERR_QUOTA', `${count} > ${this.#maxFiles} files of one transfer`)
    this.apply({ is: 'begun', part: this.#next, name })
    return this.of(name) as Part
  }

  of (name: string): Part | undefined {
    const number = this.#byName.get(name)
    return number === undefined ? undefined : this.#parts.get(number)
  }

  has (number: number): boolean {
    return this.#parts.has(number)
  }

  isWhole (name: string): boolean {
    return this.#whole.has(name)
  }

  keep (number: number, bytes: number): void {
    const part = this.#parts.get(number)
    if (part !== undefined) part.bytes = bytes
  }

  apply (fact: Fact): void {
    switch (fact.is) {
      case 'opened':
        this.#lastBoot = fact.boot
        break
      case 'begun':
        this.#next = Math.max(this.#next, fact.part + 1)
        this.#byName.set(fact.name, fact.part)
        this.#parts.set(fact.part, { number: fact.part, name: fact.name, bytes: 0, verified: 0, sealed: undefined })
        break
      case 'whole':
        this.apply({ is: 'begun', part: fact.part, name: fact.name })
        this.apply({ is: 'sealed', part: fact.part, bytes: fact.bytes })
        break
      case 'verified':
        this.#with(fact.part, part => { part.verified = fact.bytes })
        break
      case 'sealed':
        this.#with(fact.part, part => { part.sealed = fact.bytes })
        break
      case 'placed':
      case 'dropped':
        this.#with(fact.part, ({ number, name }) => {
          this.#parts.delete(number)
          this.#byName.delete(name)
          if (fact.is === 'placed') this.#whole.add(name)
        })
        break
      case 'folder':
        this.folders.set(fact.name, { mode: fact.mode, mtimeMs: fact.mtimeMs })
        break
      case 'link':
        this.#whole.add(fact.name)
    }
  }

  /** Takes over what was found of the parts. Returns those that are over, and whether their file is to be removed. */
  recover (found: ReadonlyMap<number, { readonly size: number, readonly nlink: number }>): Array<{ readonly part: number, readonly remove: boolean }> {
    const over: Array<{ part: number, remove: boolean }> = []
    // After another start of the machine only what was synced is what it looks like.
    const same = this.#boot !== undefined && this.#boot === this.#lastBoot
    for (const part of [...this.#parts.values()]) {
      const file = found.get(part.number)
      if (part.sealed !== undefined && (file === undefined || file.nlink > 1)) {
        // It was synced before it was sealed, and only placing takes a part away.
        this.apply({ is: 'placed', part: part.number, as: part.name })
        over.push({ part: part.number, remove: file !== undefined })
      } else if (file === undefined) {
        this.apply({ is: 'dropped', part: part.number })
      } else {
        part.verified = Math.min(part.verified, file.size)
        part.bytes = part.sealed === file.size || same ? file.size : part.verified
      }
    }
    return over
  }

  #with (number: number, change: (part: Part) => void): void {
    const part = this.#parts.get(number)
    if (part !== undefined) change(part)
  }
}
