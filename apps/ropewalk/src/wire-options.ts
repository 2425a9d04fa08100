import { SEED, SEED_CODE, UPSTREAM, type Profile, type WireOptions } from '@ropewalk/protocol-mdsftp'
import type { ProfileName, Wire } from './wire.ts'

const PROFILES: Readonly<Record<ProfileName, Profile>> = { upstream: UPSTREAM, seed: SEED, 'seed-code': SEED_CODE }

/** `wire` as the library takes it; `profile` where it names none. */
export function wireOptions (wire: Wire, profile: ProfileName): Pick<WireOptions, 'profile' | 'peer'> {
  return { profile: PROFILES[wire.profile ?? profile], peer: wire.peer }
}
