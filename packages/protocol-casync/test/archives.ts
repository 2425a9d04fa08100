import { readFileSync } from 'node:fs'
import type { ArchivePart } from '../src/archive-decoder-codec.ts'
import { ArchiveDecoder } from '../src/archive-decoder-codec.ts'
import { ArchiveEncoder } from '../src/archive-encoder-codec.ts'
import { archiveFeatures } from '../src/features.ts'

/** Written by the original. */
interface Recorded {
  readonly features: ReadonlyArray<{ readonly options: readonly string[], readonly features: string }>
  readonly archives: ReadonlyArray<{ readonly options: readonly string[], readonly digest: string, readonly archive: string }>
}

const recorded: Recorded = JSON.parse(readFileSync(new URL('../../../fixtures/casync/archives.json', import.meta.url), 'utf8'))

export const FEATURE_VECTORS = recorded.features.map(({ options, features }) => ({ options, features: BigInt(`0x${features}`) }))
export const ARCHIVES = recorded.archives.map(({ options, digest, archive }) => ({ options, digest, bytes: new Uint8Array(Buffer.from(archive, 'base64')) }))

/** What the options of the original mean here. */
export function featuresOf (options: readonly string[]): bigint {
  const values = (name: string): string[] => options.filter(option => option.startsWith(`--${name}=`)).map(option => option.slice(name.length + 3))
  return archiveFeatures({
    with: values('with'),
    without: values('without'),
    digest: values('digest')[0] === 'sha256' ? 'sha256' : 'sha512-256',
    excludeNodump: values('exclude-nodump')[0] !== 'no',
    excludeSubmounts: values('exclude-submounts')[0] === 'yes',
    excludeFile: values('exclude-file')[0] !== 'no'
  })
}

export function decode (bytes: Uint8Array, pieceBytes: number = bytes.length): ArchivePart[] {
  const decoder = new ArchiveDecoder()
  const parts: ArchivePart[] = []
  for (let at = 0; at < bytes.length; at += pieceBytes) parts.push(...decoder.push(bytes.subarray(at, at + pieceBytes)))
  decoder.end()
  return parts
}

export function encode (parts: readonly ArchivePart[], features: bigint): Uint8Array {
  const encoder = new ArchiveEncoder(features)
  const pieces: Uint8Array[] = []
  let passedOver = false
  for (const part of parts) {
    if (part.kind === 'node') {
      passedOver = !encoder.records(part.node)
      if (!passedOver) pieces.push(...encoder.node(part.node))
    } else if (part.kind === 'data' && !passedOver) {
      encoder.data(part.bytes)
      pieces.push(part.bytes)
    }
  }
  pieces.push(...encoder.end())
  return Buffer.concat(pieces)
}
