/**
 * The side that has put a code out.
 *
 * @module
 */
import type { Channel } from '@ropewalk/interface'
import type { CodeState } from './code-state.ts'
import { ELEMENT_BYTES, NONCE_BYTES, VERSION } from './constants.ts'
import { Conversation, type Paired, type PairOptions } from './conversation.ts'
import { equalBytes } from './equal-bytes.ts'
import { PairError } from './errors.ts'
import { decodeIntroduction, encodeAnswer, encodeDone, encodeIntroduction, encodeRefused, encodeWelcome, Kind, Refusal } from './message-codec.ts'

export interface AnswerOptions extends PairOptions {
  readonly codes: CodeState
  /** Milliseconds of the clock by which the codes were put out. */
  readonly now: () => number
  /** Called with who was paired, before it is told: it may rely on it from then on. */
  readonly keep: (paired: Paired) => Promise<void>
}

/** Answers one guess. Rejects where it was wrong, or there was nothing to guess. */
export async function answerPair (channel: Channel, options: AnswerOptions): Promise<Paired> {
  const conversation = new Conversation(channel)
  return await conversation.run(options, async () => {
    const { ours, theirs, sha512, introduction, codes, now, keep } = options
    const refuse = (why: Refusal, error: PairError): never => {
      conversation.send(encodeRefused(why))
      throw error
    }
    const { body: hello } = await conversation.receive(Kind.hello)
    if (hello[0] !== VERSION) refuse(Refusal.version, new PairError('ERR_VERSION', `version ${hello[0]}, not ${VERSION}`))
    if (codes.plate(now()) === undefined) refuse(Refusal.noCode, new PairError('ERR_NO_CODE', 'no code is out'))
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
    conversation.send(encodeWelcome(nonce))

    // The curve is large, and most of the time nobody pairs.
    const { Exchange } = await import('./exchange.ts')
    const { body: element, introduction: data } = await conversation.receive(Kind.share)
    // From here on the guess is spent: our answer tells whether it was right.
    const code = take(codes, now())
    if (code === undefined) return refuse(Refusal.noCode, new PairError('ERR_NO_CODE', 'no code is out'))
    const session = Uint8Array.from([...hello.subarray(1), ...nonce])
    const exchange = new Exchange({ sha512, code, role: 'responder', initiator: theirs, responder: ours, session, data: encodeIntroduction(introduction) })
    const tags = exchange.tags({ element: element.subarray(0, ELEMENT_BYTES), data })
    conversation.send(encodeAnswer(tags.ours, exchange.share))

    const { body: proof } = await conversation.receive(Kind.proof)
    if (!equalBytes(tags.theirs, proof)) refuse(Refusal.wrongCode, new PairError('ERR_WRONG_CODE', 'the other side has another code'))
    const paired = { ...decodeIntroduction(data), fingerprint: theirs }
    await keep(paired)
    conversation.send(encodeDone())
    return paired
  })
}

function take (codes: CodeState, now: number): string | undefined {
  try {
    return codes.take(now)
  } catch {
    return undefined
  }
}
