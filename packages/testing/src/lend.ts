import type { ByteFlow, ByteReceiver } from '@ropewalk/interface'
import type { Pipe } from './pipe.ts'

/** What lent memory is overwritten with after the call: a receiver that keeps it will read this instead. */
const SPOILT = 0xdd

/** Hands what arrives to `receiver` in memory that is spoilt as soon as the call returns. */
export function lend (pipe: Pipe, receiver: ByteReceiver): ByteFlow {
  let resume: (() => void) | undefined
  let resumed: Promise<void> | undefined

  void deliver()
  return {
    pause (): void {
      resumed ??= new Promise(resolve => { resume = resolve })
    },
    resume (): void {
      resumed = undefined
      resume?.()
    }
  }

  async function deliver (): Promise<void> {
    let error: Error | undefined
    try {
      for (let result = await pipe.read(); result.done !== true; result = await pipe.read()) {
        for (const piece of result.value) {
          while (resumed != null) await resumed
          const lent = piece.slice()
          receiver.bytes(lent)
          lent.fill(SPOILT)
        }
        while (resumed != null) await resumed
      }
    } catch (reason) {
      error = reason as Error
    }
    receiver.end(error)
  }
}
