/**
 * What any muxer needs, whatever its wire.
 *
 * @module
 */
export { AcceptQueue } from './accept-queue.ts'
export type { FeederTarget } from './feeder.ts'
export { Feeder } from './feeder.ts'
export { Inbox } from './inbox.ts'
export type { InletTarget } from './inlet.ts'
export { Inlet } from './inlet.ts'
export type { IntakeTarget } from './intake.ts'
export { Intake } from './intake.ts'
export { Outbox } from './outbox.ts'
export type { OutletTarget } from './outlet.ts'
export { Outlet, SEND_BUFFER_BYTES, SEND_BUFFER_PIECES } from './outlet.ts'
export { Outgoing } from './outgoing.ts'
export type { Member } from './pump.ts'
export { Pump } from './pump.ts'
export { afterThisTurn } from './schedule.ts'
