/** What was recorded of the original, as the tests of this package read it. */
import { readFileSync } from 'node:fs'
import { AS_IMPLEMENTED, DOCUMENTED, type Profile } from '../src/codec.ts'

export interface Vector {
  name: string
  profile: 'as-implemented' | 'documented' | 'hardened'
  hex: string
  padTo?: number
  fields: Record<string, unknown> & { error?: string, action?: number | string, json?: Record<string, unknown> }
}

export interface Session {
  case: string
  messages: Array<{ n: number, from: string | null, to: string, kind: string, blob: number, padTo?: number }>
  files: Record<string, Record<string, { size: number, sha256: string }>>
}

function load<T> (name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../fixtures/torronto/${name}`, import.meta.url), 'utf8')) as T
}

export const VECTORS: Vector[] = load('vectors.json')
const FILE: { blobs: string[], sessions: Session[] } = load('sessions.json')
export const SESSIONS: Session[] = FILE.sessions

export function bytesOf ({ hex, blob, padTo }: { hex?: string, blob?: number, padTo?: number }): Uint8Array {
  const raw = Buffer.from(hex ?? FILE.blobs[blob as number] as string, 'hex')
  const bytes = new Uint8Array(padTo ?? raw.length)
  bytes.set(raw)
  return bytes
}

export function profileOf (vector: { profile: string }): Profile {
  return vector.profile === 'documented' ? DOCUMENTED : AS_IMPLEMENTED
}

export function session (name: string): Session {
  const found = SESSIONS.find(one => one.case === name)
  if (found === undefined) throw new Error(name)
  return found
}
