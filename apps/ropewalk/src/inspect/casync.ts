import { createHash } from 'node:crypto'
import { CasyncInspector } from '@ropewalk/protocol-casync/codec'
import type { Inspection, Message } from './inspector.ts'

export function openCasync (): Inspection {
  return new CasyncInspection()
}

class CasyncInspection implements Inspection {
  readonly #inspector = new CasyncInspector()

  get offset (): number {
    return this.#inspector.offset
  }

  push (chunk: Uint8Array, emit: (message: Message) => void): void {
    for (const { fields: { payload: _payload, ...fields }, message } of this.#inspector.push(chunk)) {
      if (!('data' in message)) emit(fields)
      else emit({ ...fields, content: { length: message.data.length, sha256: createHash('sha256').update(message.data).digest('hex') } })
    }
  }

  end (): void {
    this.#inspector.end()
  }
}
