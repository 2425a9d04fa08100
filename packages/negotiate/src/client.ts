/**
 * The dialler: proposes protocols in order.
 *
 * @module
 */
import type { Channel } from '@ropewalk/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { assertProtocol, encodeLine, expectHeader, shown } from './codec.ts'
import { HEADER, NOT_AVAILABLE } from './constants.ts'
import { Conversation, type Negotiated, type NegotiateOptions } from './conversation.ts'
import { NegotiateError } from './errors.ts'

export interface SelectOptions extends NegotiateOptions {
  /**
   * Do not wait for the answer: what is sent goes right behind the one protocol that is proposed, which saves a round trip. If the
   * peer does not speak it, the channel fails with `ERR_UNSUPPORTED`, and what was sent is lost.
   */
  lazy?: boolean | undefined
}

/** Agrees with the peer of `channel` on the first of `protocols` that it speaks. Whatever goes wrong, the channel is aborted with it. */
export async function select (channel: Channel, protocols: readonly string[], options: SelectOptions = {}): Promise<Negotiated> {
  const [first] = protocols
  if (first == null) throw new TypeError('no protocol to propose')
  if (options.lazy === true && protocols.length > 1) throw new TypeError(`${protocols.length} protocols to propose: only one can be selected without waiting`)
  for (const protocol of protocols) assertProtocol(protocol)
  options.signal?.throwIfAborted()

  const conversation = new Conversation(channel, options)
  const agreed = conversation.run(() => propose(conversation, protocols))
  const negotiated = conversation.follow(agreed)
  return { protocol: options.lazy === true ? first : await agreed, channel: negotiated }
}

async function propose (conversation: Conversation, protocols: readonly string[]): Promise<string> {
  let header = true

  for (const protocol of protocols) {
    const line = encodeLine(protocol)
    await conversation.send(header ? new Uint8ArrayList(encodeLine(HEADER), line) : line)
    if (header) expectHeader(await conversation.readLine())
    header = false

    const answer = await conversation.readLine()
    if (answer === protocol) return protocol
    if (answer !== NOT_AVAILABLE) {
      throw new NegotiateError('ERR_UNEXPECTED_ANSWER', `answer ${shown(answer)} to ${JSON.stringify(protocol)}`)
    }
  }

  throw new NegotiateError('ERR_UNSUPPORTED', `the peer speaks none of ${protocols.join(', ')}`)
}
