import type { Channel, Connection } from '@ropewalk/interface'

/** A channel whose bytes are handed over as they arrive. */
export type Attachable = Required<Pick<Connection, 'attach'>>

export function isAttachable (channel: Channel): channel is Channel & Attachable {
  return 'attach' in channel && typeof channel.attach === 'function'
}

/** Hands everything that comes to `take`, which may be done with it when it returns, or else later. Nothing more is read until then. */
export async function readAttached (channel: Attachable, take: (bytes: Uint8Array) => void | Promise<void>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let taking: Promise<void> | undefined
    /** What was on its way when the flow was stopped, and then the end. */
    const behind: Uint8Array[] = []
    let end: (() => void) | undefined

    async function finish (taken: Promise<void>): Promise<void> {
      flow.pause()
      await taken
      for (let bytes = behind.shift(); bytes !== undefined; bytes = behind.shift()) await take(bytes)
      taking = undefined
      if (end !== undefined) end()
      else flow.resume()
    }

    const flow = channel.attach({
      bytes (bytes, lent = true) {
        if (taking !== undefined) {
          behind.push(lent ? new Uint8Array(bytes) : bytes)
          return
        }
        const taken = take(bytes)
        if (taken === undefined) return
        taking = finish(taken)
        taking.catch(reject)
      },
      end (error) {
        end = () => {
          if (error === undefined) resolve()
          else reject(error)
        }
        if (taking === undefined) end()
      }
    })
  })
}
