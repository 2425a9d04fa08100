/**
 * Many channels over one connection, in the yamux wire format.
 *
 * @module
 */
export type { YamuxChannel } from './channel.ts'
export type { Clock } from './clock.ts'
export {
  FAREWELL_MS, FRAME_BYTES, IDLE_FRAMES_PER_SECOND, INITIAL_WINDOW_BYTES, KEEP_ALIVE_TIMEOUT_MS, MAX_ACCEPT_BACKLOG, MAX_BUFFERED_BYTES, MAX_CHANNELS,
  MAX_CREDIT_BYTES, MAX_ID_GAPS, MAX_IDLE_FRAMES, MAX_QUEUED_RESETS, MAX_STREAM_ID, MAX_UNACKNOWLEDGED_OPENS,
  MAX_UNANSWERED_PINGS, MAX_WASTED_OPENS, WASTED_OPENS_PER_SECOND
} from './constants.ts'
export { YamuxError } from './errors.ts'
export type { YamuxErrorCode } from './errors.ts'
export { yamux } from './muxer.ts'
export type { YamuxMuxer, YamuxOptions } from './muxer.ts'
export type { Role } from './state.ts'
