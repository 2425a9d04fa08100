/** What was recorded from the original, as the tests of this package read it. */
import { readFileSync } from 'node:fs'

export interface Vector {
  name: string
  direction: string
  profile: 'seed' | 'go-838779e'
  port?: string
  hex: string
  fields: Record<string, unknown> & { pattern?: string, value?: unknown, cmd?: number, json?: unknown, note?: string }
}

export interface Capture {
  name: string
  profile: 'seed' | 'go-838779e'
  port: string
  caller: string
  target: string
  authorized: boolean
  chunks: Array<['c2s' | 's2c', string]>
}

function load<T> (name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../fixtures/warpdrive/${name}.json`, import.meta.url), 'utf8')) as T
}

export const VECTORS: Vector[] = load('vectors')
export const CAPTURES: Capture[] = load('captures')

export function bytesOf (hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], pair => Number.parseInt(pair, 16))
}

export function hexOf (...parts: Uint8Array[]): string {
  return parts.map(part => Array.from(part, byte => byte.toString(16).padStart(2, '0')).join('')).join('')
}

export function side (capture: Capture, direction: 'c2s' | 's2c'): string {
  return capture.chunks.filter(([dir]) => dir === direction).map(([, hex]) => hex).join('')
}

export function captured (name: string): Capture {
  const found = CAPTURES.find(capture => capture.name === name)
  if (found === undefined) throw new Error(`no capture ${name}`)
  return found
}
