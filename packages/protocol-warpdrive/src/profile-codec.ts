/**
 * The two generations of the wire: which port knows which command by which code. Pure.
 *
 * @module
 */

export type CommandType =
  | 'listPeers' | 'createOffer' | 'acceptOffer' | 'listOffers' | 'listenOffers' | 'listenStatus' | 'updatePeer'
  | 'sendOffer' | 'download' | 'downloadRange' | 'settleOffer' | 'downloadMany' | 'ping' | 'end'

export interface Profile {
  readonly name: 'seed' | 'go-838779e'
  /** Where local apps, remote nodes and anybody ask. */
  readonly ports: { readonly local: string, readonly remote: string, readonly info: string }
  /** The commands of each port. */
  readonly codes: Readonly<Record<string, Readonly<Partial<Record<CommandType, number>>>>>
  /** One byte of any value follows the reply to list peers. */
  readonly acknowledgesPeers: boolean
  /** Signal 0 of ping comes back before the close. */
  readonly echoesZero: boolean
}

const LOCAL = { listPeers: 1, createOffer: 2, acceptOffer: 3, listOffers: 4, listenOffers: 5, listenStatus: 6, updatePeer: 7 }

/** Of 2022-09 to 2022-11: three ports, each with its own numbers. */
export const SEED: Profile = {
  name: 'seed',
  ports: { local: 'warpdrive-local', remote: 'warpdrive-remote', info: 'warpdrive-info' },
  codes: {
    'warpdrive-local': { ...LOCAL, end: 0xff },
    'warpdrive-remote': { sendOffer: 1, download: 2, downloadRange: 3, settleOffer: 4, downloadMany: 5, end: 0xff },
    'warpdrive-info': { ping: 1, end: 0xff }
  },
  acknowledgesPeers: true,
  echoesZero: false
}

/** Of 2022-11 to 2023-11: everything on one port. The one to speak. */
export const GO_838779E: Profile = {
  name: 'go-838779e',
  ports: { local: 'warpdrive', remote: 'warpdrive', info: 'warpdrive' },
  codes: { warpdrive: { ...LOCAL, sendOffer: 0x64, download: 0x65, downloadRange: 0x66, settleOffer: 0x67, downloadMany: 0x68, ping: 0xc8, end: 0xff } },
  acknowledgesPeers: false,
  echoesZero: true
}

export const PROFILES: Readonly<Record<Profile['name'], Profile>> = { seed: SEED, 'go-838779e': GO_838779E }

/** Commands that only the node itself may give. */
export const LOCAL_COMMANDS: ReadonlySet<CommandType> = new Set(Object.keys(LOCAL) as CommandType[])

/** The command with that code on that port, or undefined. */
export function commandOf (profile: Profile, port: string, code: number): CommandType | undefined {
  const codes = profile.codes[port] ?? {}
  return (Object.keys(codes) as CommandType[]).find(type => codes[type] === code)
}

/** The port that knows the command. */
export function portOf (profile: Profile, type: CommandType): string {
  if (LOCAL_COMMANDS.has(type)) return profile.ports.local
  return type === 'ping' ? profile.ports.info : profile.ports.remote
}
