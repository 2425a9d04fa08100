/**
 * Messages as plain fields, for people and for `inspect`. Names are the peer's: escape them before they are shown. Pure.
 *
 * @module
 */
import { PREFACE } from './constants.ts'
import { decodeFrame, type HardenedFrame } from './hardened-codec.ts'
import { decodeMessage } from './message-codec.ts'
import type { Message, Profile } from './message.ts'

export type MessageFields = Readonly<Record<string, unknown>> & { readonly action: string }

/** One value of a `MessageCutter`. `hardened` is what its cutter said. Throws SwarmError where it is no message. */
export function describe (profile: Profile, bytes: Uint8Array, hardened: boolean = false): MessageFields {
  if (!hardened) return fields(decodeMessage(profile, bytes))
  if (bytes.length === PREFACE.length) return { action: 'Preface', magic: 'TORX', version: bytes[4] }
  return fields(decodeFrame(bytes))
}

function fields (message: Message | HardenedFrame): MessageFields {
  const { action, ...rest } = message as Message & { data?: Uint8Array }
  const described: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(rest)) {
    if (value instanceof Uint8Array) described.dataBytes = value.length
    else if (value !== undefined) described[key] = value
  }
  return { action, ...described }
}
