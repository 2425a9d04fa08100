/** The vectors and sessions recorded from the original, as the tests of this package read them. */
import { readFileSync } from 'node:fs'

export interface Vector {
  name: string
  profile: 'readme' | 'final' | 'libipc' | 'jwt'
  framing: 'seqpacket' | 'stream' | 'none'
  hex: string
  fields: Record<string, unknown> & { userType?: number, json?: Record<string, unknown>, expect?: string, token?: string, key?: string }
}

export interface Step {
  event?: string
  from?: 'client' | 'server'
  label?: string
  hex?: string
}

const folder = new URL('../../../fixtures/ipc-upload/', import.meta.url)

export const VECTORS: Vector[] = JSON.parse(readFileSync(new URL('vectors.json', folder), 'utf8')) as Vector[]

export function vector (name: string): Vector {
  const found = VECTORS.find(candidate => candidate.name === name)
  if (found === undefined) throw new Error(name)
  return found
}

export function bytesOf (hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

export const CAPTURES: readonly string[] = ['auth-failures', 'duplicate-and-resume', 'empty-file', 'errors', 'no-verification', 'traversal', 'upload-in-order']

export function capture (name: string): Step[] {
  return (JSON.parse(readFileSync(new URL(`captures/${name}.json`, folder), 'utf8')) as { steps: Step[] }).steps
}
