/**
 * The side that was told the code.
 *
 * @module
 */
import type { Channel } from '@ropewalk/interface'
import { formatCode, parseCode } from './code-codec.ts'
import { NONCE_BYTES, TAG_BYTES } from './constants.ts'
import { Conversation, type Paired, type PairOptions } from './conversation.ts'
import { equalBytes } from './equal-bytes.ts'
import { PairError } from './errors.ts'
import { decodeIntroduction, encodeHello, encodeIntroduction, encodeProof, encodeShare, Kind } from './message-codec.ts'

/**
 * Pairs with whoever has put `code` out and answers on `channel`. Resolves when both sides have proved that they know it, and see the same two keys.
 * The code is used up by then, or by the failure: `ERR_WRONG_CODE`, `ERR_NO_CODE`.
 */
export async function pair (channel: Channel, code: string, options: PairOptions): Promise<Paired> {
  const normal = formatCode(parseCode(code))
  const conversation = new Conversation(channel)
  return await conversation.run(options, async () => {
    const { ours, theirs, sha512, introduction } = options
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
    conversation.send(encodeHello(nonce))
    const { body: other } = await conversation.receive(Kind.welcome)

    const session = Uint8Array.from([...nonce, ...other])
    // The curve is large, and most of the time nobody pairs.
    const { Exchange } = await import('./exchange.ts')
    const exchange = new Exchange({ sha512, code: normal, role: 'initiator', initiator: ours, responder: theirs, session, data: encodeIntroduction(introduction) })
    conversation.send(encodeShare(exchange.share))
    const { body, introduction: data } = await conversation.receive(Kind.answer)
    const tags = exchange.tags({ element: body.subarray(TAG_BYTES), data })
    if (!equalBytes(tags.theirs, body.subarray(0, TAG_BYTES))) throw new PairError('ERR_WRONG_CODE', 'the other side has another code; this one is used up')

    conversation.send(encodeProof(tags.ours))
    await conversation.receive(Kind.done)
    return { ...decodeIntroduction(data), fingerprint: theirs }
  })
}
