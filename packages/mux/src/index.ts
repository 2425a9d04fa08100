/**
 * What any muxer needs, whatever its wire.
 *
 * @module
 */
export { Feeder } from './feeder.ts'
export type { FeederTarget } from './feeder.ts'
export { Inbox } from './inbox.ts'
export { Outbox } from './outbox.ts'
export { Outgoing } from './outgoing.ts'
export { afterThisTurn } from './schedule.ts'
