/**
 * Files that have all their bytes, on their way to their names. What ends at about the same time ends together: synced side by side, told to the
 * journal with one sync, and each folder entered and synced once. Alone, small files would cost more in steps than in bytes.
 *
 * @module
 */
import type { Placement, Placing } from './placement.ts'
import { fsync } from './sync.ts'

export interface Ending extends Placing {
  readonly fd: number
  /** The file survives loss of power: what resolves survives it, too. */
  readonly sealed: () => Promise<void>
  /** Throws when nobody wants the file any more. */
  readonly check: () => void
}

/** Groups under way. Ours: while one waits for its folders, the next is synced. */
const GROUPS = 2

/** Files of a group. Ours. */
const GROUP_FILES = 128

export class Endings {
  readonly #placement: Placement
  #waiting: Array<PromiseWithResolvers<string> & { readonly ending: Ending }> = []
  #groups = 0

  constructor (placement: Placement) {
    this.#placement = placement
  }

  /** Syncs a file and gives it its name, which is durable when this resolves to it. */
  end (ending: Ending): Promise<string> {
    const waiting = { ...Promise.withResolvers<string>(), ending }
    this.#waiting.push(waiting)
    if (this.#groups < GROUPS) {
      this.#groups++
      void this.#run()
    }
    return waiting.promise
  }

  async #run (): Promise<void> {
    // All that are ready now come along.
    await new Promise<void>(resolve => { setImmediate(resolve) })
    while (this.#waiting.length > 0) {
      let group = this.#waiting.splice(0, GROUP_FILES)
      const step = async (work: (ending: Ending) => Promise<void>): Promise<void> => {
        const results = await Promise.allSettled(group.map(({ ending }) => work(ending)))
        group = group.filter(({ reject }, index) => {
          const result = results[index] as PromiseSettledResult<void>
          if (result.status === 'rejected') reject(result.reason)
          return result.status === 'fulfilled'
        })
      }
      await step(({ fd }) => fsync(fd))
      await step(({ sealed }) => sealed())
      await step(async ({ check }) => { check() })
      const placed = await this.#placement.place(group.map(({ ending }) => ending))
      for (const [index, { resolve, reject }] of group.entries()) {
        const result = placed[index] as PromiseSettledResult<string>
        if (result.status === 'fulfilled') resolve(result.value)
        else reject(result.reason)
      }
    }
    this.#groups--
  }
}
