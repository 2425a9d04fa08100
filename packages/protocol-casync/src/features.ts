/**
 * What an archive records: a word of bits, and the names that casync's `--with` and `--without` take for them.
 *
 * @module
 */
import type { ChunkDigest, TreeAttribute } from '@ropewalk/interface'
import { FEATURE_SHA512_256 } from './constants.ts'

/** From the specification and, bit by bit, from what the original writes. */
export const FEATURES = {
  '16bit-uids': 0x1n,
  '32bit-uids': 0x2n,
  'user-names': 0x4n,
  'sec-time': 0x8n,
  'usec-time': 0x10n,
  'nsec-time': 0x20n,
  '2sec-time': 0x40n,
  'read-only': 0x80n,
  permissions: 0x100n,
  symlinks: 0x200n,
  'device-nodes': 0x400n,
  fifos: 0x800n,
  sockets: 0x1000n,
  'flag-hidden': 0x2000n,
  'flag-system': 0x4000n,
  'flag-archive': 0x8000n,
  'flag-append': 0x1_0000n,
  'flag-noatime': 0x2_0000n,
  'flag-compr': 0x4_0000n,
  'flag-nocow': 0x8_0000n,
  'flag-nodump': 0x10_0000n,
  'flag-dirsync': 0x20_0000n,
  'flag-immutable': 0x40_0000n,
  'flag-sync': 0x80_0000n,
  'flag-nocomp': 0x100_0000n,
  'flag-projinherit': 0x200_0000n,
  subvolume: 0x400_0000n,
  'subvolume-ro': 0x800_0000n,
  xattrs: 0x1000_0000n,
  acl: 0x2000_0000n,
  selinux: 0x4000_0000n,
  fcaps: 0x8000_0000n,
  'quota-projid': 0x1_0000_0000n
} as const

/** Names that stand for several. The reference uses. */
export const FEATURE_SETS = {
  best: 0x1_ffff_fe26n,
  unix: 0x1f09n,
  fat: 0xe0c0n,
  chattr: 0x3ff_0000n,
  'fat-attrs': 0xe000n,
  privileged: 0x1_ec41_4407n,
  fuse: 0x13ff_fffbn
} as const

export interface FeatureOptions {
  /** Names of features or of sets of them. Default: all there are. */
  with?: readonly string[] | undefined
  /** What is taken away again; `all` leaves nothing. */
  without?: readonly string[] | undefined
  /** Default SHA-512/256. */
  digest?: ChunkDigest | undefined
  /** Leave out what `chattr +d` marks. Default true. */
  excludeNodump?: boolean | undefined
  /** Leave out other file systems. Default false. */
  excludeSubmounts?: boolean | undefined
  /** Heed `.caexclude` files. Default true. */
  excludeFile?: boolean | undefined
}

/** What leaves things out, and the digest, are recorded too. */
export const EXCLUDE_FILE = 0x1000_0000_0000_0000n
export const EXCLUDE_SUBMOUNTS = 0x4000_0000_0000_0000n
export const EXCLUDE_NODUMP = 0x8000_0000_0000_0000n

/** The word for such options, contradictions resolved as the original does. RangeError for a name that it does not know. */
export function archiveFeatures (options: FeatureOptions = {}): bigint {
  const { digest = 'sha512-256', excludeNodump = true, excludeSubmounts = false, excludeFile = true } = options
  const wanted = options.with ?? []
  let bits = wanted.length === 0 ? ALL : wanted.reduce((sum, name) => sum | bitsOf(name), 0n)
  for (const name of options.without ?? []) bits &= name === 'all' ? 0n : ~bitsOf(name)
  if (excludeNodump) bits |= EXCLUDE_NODUMP
  if (excludeSubmounts) bits |= EXCLUDE_SUBMOUNTS
  if (excludeFile) bits |= EXCLUDE_FILE
  if (digest === 'sha512-256') bits |= FEATURE_SHA512_256
  return normaliseFeatures(bits)
}

/** The finest of what excludes each other, and what others need. */
export function normaliseFeatures (features: bigint): bigint {
  let bits = features
  if (has(bits, 'acl') && (bits & IDENTITY) === 0n) bits |= FEATURES['32bit-uids'] | FEATURES['user-names']
  if (has(bits, '32bit-uids')) bits &= ~FEATURES['16bit-uids']
  for (const [i, finest] of TIMES.entries()) {
    if (has(bits, finest)) for (const coarser of TIMES.slice(i + 1)) bits &= ~FEATURES[coarser]
  }
  if (has(bits, 'acl')) bits &= ~(FEATURES.permissions | FEATURES['read-only'])
  if (has(bits, 'permissions')) bits &= ~FEATURES['read-only']
  if (has(bits, 'subvolume-ro')) bits |= FEATURES.subvolume
  if ((bits & EXCLUDE_NODUMP) !== 0n) bits &= ~FEATURES['flag-nodump']
  return bits
}

/** The names of the features that are in the word, sets not among them. */
export function featureNames (features: bigint): FeatureName[] {
  return (Object.keys(FEATURES) as FeatureName[]).filter(name => has(features, name))
}

export type FeatureName = keyof typeof FEATURES

export function has (features: bigint, name: FeatureName): boolean {
  return (features & FEATURES[name]) !== 0n
}

/** True for a word that the original would write: nothing unknown in it, and nothing that contradicts itself. */
export function areFeatures (features: bigint): boolean {
  if (features === lastGood) return true
  if ((features & ~KNOWN) !== 0n || normaliseFeatures(features) !== features) return false
  lastGood = features
  return true
}

/** Every entry of an archive has the same. */
let lastGood = 0n

export function attributeBits (attributes: readonly TreeAttribute[] | undefined): bigint {
  return attributes === undefined ? 0n : attributes.reduce((bits, name) => bits | FEATURES[`flag-${name}`], 0n as bigint)
}

export function attributesOf (bits: bigint): TreeAttribute[] {
  if (bits === 0n) return []
  return featureNames(bits).filter(name => name.startsWith('flag-')).map(name => name.slice('flag-'.length) as TreeAttribute)
}

/** Every bit that an attribute may have. */
export const ATTRIBUTES: bigint = FEATURE_SETS.chattr | FEATURE_SETS['fat-attrs']

const IDENTITY = FEATURES['16bit-uids'] | FEATURES['32bit-uids'] | FEATURES['user-names']
const TIMES = ['nsec-time', 'usec-time', 'sec-time', '2sec-time'] as const
const ALL = 0x1_ffff_ffffn
const KNOWN = ALL | EXCLUDE_FILE | EXCLUDE_SUBMOUNTS | EXCLUDE_NODUMP | FEATURE_SHA512_256

function bitsOf (name: string): bigint {
  const bits = (FEATURES as Record<string, bigint>)[name] ?? (FEATURE_SETS as Record<string, bigint>)[name]
  if (bits === undefined) throw new RangeError(`no feature of an archive is called ${JSON.stringify(name.slice(0, 64))}`)
  return bits
}
