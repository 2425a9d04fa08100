/**
 * What is measured. A subject speaks in whatever way is natural and fast for it; the cases never look inside.
 *
 * @module
 */

/** What a server does with a stream: reads and forgets, sends everything back, never reads, or leaves it alone. */
export type Service = 'discard' | 'echo' | 'sleep' | 'hold'

/** How a server behaves, and whom it tells. */
export interface Behaviour {
  /** Called once a stream, in the order in which they were opened. */
  opened (): Service
  /** Bytes that a discarding stream has read. */
  taken (bytes: number): void
}

export interface Limits {
  /** Streams that will be open at once. */
  readonly channels: number
}

/** Where messages come from: pulled one at a time, so that it shows how many a subject has taken. */
export interface Flow {
  next (): Uint8Array | undefined
}

/** Request and response on one stream. */
export interface Exchange {
  /** Sends `bytes` and waits until as many have come back. */
  roundTrip (bytes: Uint8Array): Promise<void>
}

export interface Stream {
  /** Sends everything, then end-of-data. Resolves when it has been handed over. */
  send (flow: Flow): Promise<void>
  exchange (): Exchange
}

export interface Client {
  open (): Promise<Stream>
  /** One short life: opens a stream, sends `bytes`, reads them back to the end. */
  echo (bytes: Uint8Array): Promise<void>
}

export interface Subject {
  /** Resolves to what `connect` needs; it travels as JSON. */
  listen (behaviour: Behaviour, limits: Limits): Promise<unknown>
  connect (address: unknown, limits: Limits): Promise<Client>
}

/** Counts arriving bytes against one round trip under way. */
export class Returns {
  #left = 0
  #done: (() => void) | undefined

  expect (bytes: number): Promise<void> {
    this.#left = bytes
    return new Promise(resolve => { this.#done = resolve })
  }

  arrived (bytes: number): void {
    this.#left -= bytes
    if (this.#left <= 0) this.#done?.()
  }
}
