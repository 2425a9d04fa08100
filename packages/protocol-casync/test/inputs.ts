import { createHash, hash } from 'node:crypto'
import type { Hasher } from '@ropewalk/interface'

export const nodeHash: Hasher = (digest, bytes) => createHash(digest === 'sha256' ? 'sha256' : 'sha512-256').update(bytes).digest()

/** The longest stream made for each seed: the others are its beginnings. */
const streams = new Map<string, Uint8Array>()

/** SHA-256(seed || u64 le i) for i = 0, 1, 2, ... cut to `length`. */
export function counter (seed: string, length: number): Uint8Array {
  let stream = streams.get(seed)
  if (stream === undefined || stream.length < length) {
    stream = new Uint8Array(Math.ceil(length / 32) * 32)
    const head = Buffer.from(seed)
    const block = Buffer.concat([head, Buffer.alloc(8)])
    for (let at = 0; at < length; at += 32) {
      block.writeBigUInt64LE(BigInt(at / 32), head.length)
      stream.set(hash('sha256', block, 'buffer'), at)
    }
    streams.set(seed, stream)
  }
  return stream.subarray(0, length)
}

function text (length: number): Uint8Array {
  const lines: string[] = []
  for (let i = 0; i * 57 < length; i++) lines.push(`line ${String(i).padStart(8, '0')}: the quick brown fox jumps over the lazy dog\n`)
  return Buffer.from(lines.join('')).subarray(0, length)
}

function repeated (pattern: Uint8Array, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => pattern[i % pattern.length] as number)
}

/** What a generator expression of the vectors stands for, `ctr('p',100000)*8+zeros(3)` say. */
export function input (expression: string): Uint8Array {
  const terms = Array.from(expression.matchAll(/(\w+)\((?:'([^']*)')?,?(\d+)?\)(?:\*(\d+))?/g), ([, name, word = '', size, times = '1']) => {
    const length = Number(size ?? 0)
    const bytes = name === 'ctr'
      ? counter(word, length)
      : name === 'zeros'
        ? new Uint8Array(length)
        : name === 'text'
          ? text(length)
          : name === 'rep'
            ? repeated(Buffer.from(word), length)
            : name === 'ramp'
              ? repeated(Uint8Array.from({ length: 256 }, (_, i) => i), length)
              : Buffer.from(word, 'hex')
    return Array.from({ length: Number(times) }, () => bytes)
  })
  const parts = terms.flat()
  return parts.length === 1 ? parts[0] as Uint8Array : Buffer.concat(parts)
}
