/**
 * What any muxer needs, whatever its wire.
 *
 * @module
 */
export { AcceptQueue } from './accept-queue.ts'
export type { FeederTarget } from './feeder.ts'
export { Feeder } from './feeder.ts'
export { Inbox } from './inbox.ts'
export type { IntakeTarget } from './intake.ts'
export { Intake } from './intake.ts'
export { Outbox } from './outbox.ts'
export { Outgoing } from './outgoing.ts'
export type { Member } from './pump.ts'
export { Pump } from './pump.ts'
export { afterThisTurn } from './schedule.ts'
