/**
 * Flow control as pure arithmetic.
 *
 * @module
 */
export { AckBatcher } from './ack-batcher.ts'
export { BoundedQueue } from './bounded-queue.ts'
export type { BoundedQueueLimits } from './bounded-queue.ts'
export { DEFAULT_GRANT_FRACTION, DEFAULT_MAX_CREDIT } from './constants.ts'
export { FragmentLedger } from './fragment-ledger.ts'
export type { FragmentLimits, Settled } from './fragment-ledger.ts'
export { ReceiveWindow } from './receive-window.ts'
export type { ReceiveWindowOptions } from './receive-window.ts'
export { SendCredit } from './send-credit.ts'
export type { SendCreditOptions } from './send-credit.ts'
export { TokenBucket } from './token-bucket.ts'
export type { TokenBucketOptions } from './token-bucket.ts'
