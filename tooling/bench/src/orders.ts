/**
 * What the driver and a process under measurement say to each other: one JSON object a line.
 *
 *      driver  {"id":1,"do":"ping","count":1000,"bytes":100}
 *      player  {"id":1,"ok":{"p50":41.2,"p99":80.1}}      or      {"id":1,"failed":"…"}
 *
 * @module
 */
import type { Service } from './subject.ts'

export type Order =
  /** Server: listen; the n-th stream is served as `services[n]`, those beyond as the last. */
  | { do: 'listen', services: Service[], channels: number }
  /** Server: wait until that many bytes have been taken since the start. Answers `{ at }`. */
  | { do: 'taken', bytes: number }
  /** Server: wait until that many streams have been opened since the start. */
  | { do: 'opened', streams: number }
  | { do: 'connect', address: unknown, channels: number }
  /** Client: send `bytes` in all, in messages, on so many new streams at once. Answers `{ at }`: when it began. */
  | { do: 'send', streams: number, bytes: number, messageBytes: number }
  /** Client: begin to send, and do not wait. */
  | { do: 'press', bytes: number, messageBytes: number }
  /** Client: bytes that the pressed stream has taken so far. */
  | { do: 'pressed' }
  /** Client: that many round trips on one stream; or for so long. */
  | { do: 'ping', bytes: number, count?: number, ms?: number }
  /** Client: open, echo, close, so many times, so many at once. */
  | { do: 'echo', bytes: number, count: number, atOnce: number }
  /** Client: opens streams and keeps them. */
  | { do: 'hold', streams: number }
  | { do: 'usage', collect?: boolean }

/** Times are nanoseconds of the system's monotonic clock, the same in all processes. */
export interface Moment {
  at: number
}

export interface Usage extends Moment {
  cpuSeconds: number
  rssBytes: number
  /** The highest there was. */
  peakRssBytes: number
  heapBytes: number
  /** Server: bytes taken since the start. */
  takenBytes: number
}

export interface Latencies {
  count: number
  p50: number
  p99: number
  max: number
}

export function now (): number {
  return Number(process.hrtime.bigint())
}
