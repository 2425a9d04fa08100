import type { Context } from '../context.ts'
import { codeOf, RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { findTransfer } from './activity.ts'
import { retry as retryOffer, type RetryFlags } from './offers.ts'

/** Moves what failed of an offer, or of the offer that a transfer was part of. What others have begun, only they can begin again. */
export async function retry (context: Context, what: string, flags: RetryFlags): Promise<Exit> {
  const transfer = await findTransfer(context, what).catch((error: unknown) => {
    if (codeOf(error) === 'ERR_NOT_FOUND' || codeOf(error) === 'ERR_USAGE') return undefined
    throw error
  })
  if (transfer === undefined || transfer.id !== what) {
    try {
      return await retryOffer(context, what, flags)
    } catch (error) {
      if (transfer === undefined || codeOf(error) !== 'ERR_NOT_FOUND') throw error
    }
  }
  if (transfer.state === 'done') throw new RopewalkError('ERR_USAGE', 'it is done: there is nothing to retry', { text: transfer.name })
  if (transfer.group !== undefined) return await retryOffer(context, transfer.group, flags)
  throw new RopewalkError('ERR_USAGE', 'whoever began it begins it again', {
    text: transfer.name,
    advice: [transfer.direction === 'in' ? 'There, "ropewalk put --resume" or the same "ropewalk upload" sends what is missing.' : 'There, the same "ropewalk get --resume" fetches what is missing.']
  })
}
