/**
 * TRANSFER as nearly everybody writes it, straight from and to bytes: nearly all that is ever sent are these. Pure.
 *
 *      {"message-id":"…","chunk":"…","data":"…"}      the keys in this order, nothing between them, ids without escapes
 *
 * What looks otherwise is left to who reads JSON.
 *
 * @module
 */
import { base64Bytes, canonicalEnd, writeBase64 } from './base64-codec.ts'
import { MAX_BLOCK_BYTES, MAX_ID_BYTES, ReadmeType } from './constants.ts'
import type { MachineBase64 } from './ports.ts'
import type { Encoded, Transfer } from './readme-codec.ts'

/** Bytes that are left free before the payload, so that a header needs no copy. The longest header has as many. */
export const HEADROOM_BYTES = 6

const BEFORE_ID: Uint8Array = new TextEncoder().encode('{"message-id":"')
const BEFORE_CHUNK: Uint8Array = new TextEncoder().encode('","chunk":"')
const BEFORE_DATA: Uint8Array = new TextEncoder().encode('","data":"')
const QUOTE = 0x22
const BACKSLASH = 0x5c
const BRACE = 0x7d

export function encodeTransfer (messageId: string, chunk: string, data: Uint8Array, machine?: MachineBase64): Encoded {
  const head = new TextEncoder().encode(`{"message-id":${JSON.stringify(messageId)},"chunk":${JSON.stringify(chunk)},"data":"`)
  const start = HEADROOM_BYTES + head.length
  const end = start + base64Bytes(data.length)
  const whole = new Uint8Array(end + 2)
  whole.set(head, HEADROOM_BYTES)
  if (machine === undefined) writeBase64(data, whole, start)
  else machine.write(data, whole, start)
  whole[end] = QUOTE
  whole[end + 1] = BRACE
  return { userType: ReadmeType.Transfer, payload: whole.subarray(HEADROOM_BYTES), headroom: HEADROOM_BYTES }
}

/** `undefined` where it is written in another way, or holds what is not plain base64 of at most one block. */
export function decodeTransfer (payload: Uint8Array, machine: MachineBase64): Transfer | undefined {
  const end = payload.length - 2
  if (payload[end] !== QUOTE || payload[end + 1] !== BRACE) return undefined
  const id = textAfter(payload, 0, BEFORE_ID)
  const chunk = id === undefined ? undefined : textAfter(payload, id.end, BEFORE_CHUNK)
  if (id === undefined || chunk === undefined || !startsWith(payload, chunk.end, BEFORE_DATA)) return undefined
  const text = payload.subarray(chunk.end + BEFORE_DATA.length, end)
  if (text.length % 4 !== 0 || text.length > base64Bytes(MAX_BLOCK_BYTES) || !canonicalEnd(text)) return undefined
  const data = machine.read(text)
  const padding = text[text.length - 1] !== PAD ? 0 : text[text.length - 2] === PAD ? 2 : 1
  // A character that is none was passed over, and is missing now.
  if (data.length !== text.length / 4 * 3 - padding || data.length > MAX_BLOCK_BYTES) return undefined
  return { type: 'Transfer', messageId: id.text, chunk: chunk.text, data }
}

const PAD = 0x3d

/** The plain ASCII between a key and the next quote. */
function textAfter (payload: Uint8Array, at: number, key: Uint8Array): { readonly text: string, readonly end: number } | undefined {
  if (!startsWith(payload, at, key)) return undefined
  const start = at + key.length
  let text = ''
  for (let end = start; end < start + MAX_ID_BYTES + 1; end++) {
    const byte = payload[end] ?? 0
    if (byte === QUOTE) return text === '' ? undefined : { text, end }
    if (byte < 0x20 || byte >= 0x7f || byte === BACKSLASH) return undefined
    text += String.fromCharCode(byte)
  }
  return undefined
}

function startsWith (bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let offset = 0; offset < wanted.length; offset++) if (bytes[at + offset] !== wanted[offset]) return false
  return true
}
