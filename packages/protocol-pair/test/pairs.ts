import { createHash } from 'node:crypto'
import { duplexPair } from '@ropewalk/testing'
import { answerPair, CodeState, pair, parseCode, type AnswerOptions, type Paired, type PairOptions } from '../src/index.ts'

export const sha512 = (message: Uint8Array): Uint8Array => new Uint8Array(createHash('sha512').update(message).digest())

export const ALICE: string = 'a1'.repeat(32)
export const BOB: string = 'b2'.repeat(32)
export const CODE = '31-k7wq-m2x9'

/** Bob's side, with a code out since 0 ms. */
export function answering (over: Partial<AnswerOptions> = {}): AnswerOptions & { readonly kept: Paired[] } {
  const codes = new CodeState()
  codes.issue(parseCode(CODE), 0)
  const kept: Paired[] = []
  return { ours: BOB, theirs: ALICE, introduction: { name: 'laptop', port: 7741 }, sha512, codes, now: () => 1, keep: async paired => { kept.push(paired) }, kept, ...over }
}

export function asking (over: Partial<PairOptions> = {}): PairOptions {
  return { ours: ALICE, theirs: BOB, introduction: { name: 'desk', port: 0 }, sha512, ...over }
}

/** Both sides on one channel, each as it ended. */
export async function exchange (code: string, asks: PairOptions, answers: AnswerOptions): Promise<[PromiseSettledResult<Paired>, PromiseSettledResult<Paired>]> {
  const [left, right] = duplexPair()
  return await Promise.allSettled([pair(left, code, asks), answerPair(right, answers)])
}

export function codeOf (result: PromiseSettledResult<unknown>): unknown {
  return result.status === 'rejected' ? (result.reason as { code?: unknown }).code : undefined
}
