/**
 * The listener: answers proposals.
 *
 * @module
 */
import type { Channel } from '@ropewalk/interface'
import { assertProtocol, encodeLine, encodeList, expectHeader } from './codec.ts'
import { HEADER, LIST, MAX_PROPOSALS, NOT_AVAILABLE } from './constants.ts'
import { Conversation, type Negotiated, type NegotiateOptions } from './conversation.ts'
import { NegotiateError } from './errors.ts'

export interface HandleOptions extends NegotiateOptions {
  /** Lines that the peer may send before one is a protocol that we speak. Default 64. */
  maxProposals?: number | undefined
}

/** Agrees with the peer of `channel` on the first of its proposals that is among `supported`. Whatever goes wrong, the channel is aborted with it. */
export async function handle (channel: Channel, supported: readonly string[], options: HandleOptions = {}): Promise<Negotiated> {
  const { maxProposals = MAX_PROPOSALS } = options
  for (const protocol of supported) assertProtocol(protocol)
  options.signal?.throwIfAborted()

  const conversation = new Conversation(channel, options)
  const agreed = conversation.run(() => answer(conversation, supported, maxProposals))
  const negotiated = conversation.follow(agreed)
  return { protocol: await agreed, channel: negotiated }
}

async function answer (conversation: Conversation, supported: readonly string[], maxProposals: number): Promise<string> {
  // At once: a dialler may wait for it before it says anything.
  await conversation.send(encodeLine(HEADER))
  expectHeader(await conversation.readLine())

  for (let proposals = 0; proposals < maxProposals; proposals++) {
    const line = await conversation.readLine()
    if (supported.includes(line)) {
      await conversation.send(encodeLine(line))
      return line
    }
    await conversation.send(line === LIST ? encodeList(supported) : encodeLine(NOT_AVAILABLE))
  }

  throw new NegotiateError('ERR_TOO_MANY_PROPOSALS', `no protocol of ours among ${maxProposals} proposals`)
}
