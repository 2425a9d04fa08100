import { SEND_BUFFER_BYTES } from '@ropewalk/mux'

/** Bytes before every payload: kind (1) + channel (4) + payload length (4). From the specification, section 1.1. */
export const HEADER_BYTES = 9

/** Bytes of a FileChunk's payload before its content: flag (1) + fragment number (4). From the specification, section 1.3. */
export const FRAGMENT_PREFIX_BYTES = 5

/** Packet kinds by wire value, in the numbering of the code (specification section 1.2; finding 1). `WIRE.md` holds the same table and a test keeps them equal. */
export const Kind = {
  FileChunk: 0x01,
  Retrieve: 0x02,
  Put: 0x03,
  RecvAck: 0x04,
  DeleteChunk: 0x05,
  Reserve: 0x06,
  ReserveCancel: 0x07,
  ReserveOk: 0x08,
  ReserveErr: 0x09,
  LockReq: 0x0a,
  LockAcquire: 0x0b,
  LockErr: 0x0c,
  PutOk: 0x0d,
  PutErr: 0x0e,
  Commit: 0x0f,
  CommitOk: 0x10,
  CommitErr: 0x11,
  Query: 0x12,
  QueryResponse: 0x13,
  ChannelOpen: 0x80,
  ChannelClose: 0x81,
  ChannelErr: 0x82
} as const

export type PacketType = keyof typeof Kind
export type Kind = typeof Kind[PacketType]

/** ChannelOpen as binaries built between 2024-07-27 and 2024-08-04 wrote it (specification section 1.6; finding 2). */
export const SEED_CODE_CHANNEL_OPEN = 0x8a

export type ProfileName = 'upstream' | 'seed'

/** One generation of the wire: which kinds exist and how long their payloads are. There is no negotiation: both sides are configured alike. */
export interface Profile {
  readonly name: ProfileName
  /** The wire value of ChannelOpen. */
  readonly channelOpen: number
  /** Payload bytes by wire value; FileChunk is not in it, its length varies. Anything absent is an unknown kind. */
  readonly lengths: ReadonlyMap<number, number>
  /** Packet type by wire value. */
  readonly types: ReadonlyMap<number, PacketType>
}

const UPSTREAM_LENGTHS: Readonly<Record<Exclude<PacketType, 'FileChunk'>, number>> = {
  Retrieve: 34,
  Put: 25,
  RecvAck: 4,
  DeleteChunk: 16,
  Reserve: 41,
  ReserveCancel: 16,
  ReserveOk: 18,
  ReserveErr: 8,
  LockReq: 17,
  LockAcquire: 17,
  LockErr: 17,
  PutOk: 2,
  PutErr: 1,
  Commit: 17,
  CommitOk: 0,
  CommitErr: 1,
  Query: 16,
  QueryResponse: 9,
  ChannelOpen: 0,
  ChannelClose: 0,
  ChannelErr: 0
}

const SEED_LENGTHS: Readonly<Record<string, number | undefined>> = {
  ...UPSTREAM_LENGTHS,
  Retrieve: 18,
  Reserve: 9,
  Commit: undefined,
  CommitOk: undefined,
  CommitErr: undefined,
  Query: undefined,
  QueryResponse: undefined
}

function profile (name: ProfileName, table: Readonly<Record<string, number | undefined>>, channelOpen: number): Profile {
  const lengths = new Map<number, number>()
  const types = new Map<number, PacketType>([[Kind.FileChunk, 'FileChunk']])
  for (const [type, value] of Object.entries(Kind) as Array<[PacketType, Kind]>) {
    const length = table[type]
    if (length === undefined) continue
    const kind = type === 'ChannelOpen' ? channelOpen : value
    lengths.set(kind, length)
    types.set(kind, type)
  }
  return { name, channelOpen, lengths, types }
}

/** The wire since 2024-11-30 (specification section 1.6). The default. */
export const UPSTREAM: Profile = profile('upstream', UPSTREAM_LENGTHS, Kind.ChannelOpen)

/** The wire of the seed document: no Commit, no Query, short Reserve and Retrieve. */
export const SEED: Profile = profile('seed', SEED_LENGTHS, Kind.ChannelOpen)

/** The seed wire as its own code of that week spoke it, with 0x8A for ChannelOpen. */
export const SEED_CODE: Profile = profile('seed', SEED_LENGTHS, SEED_CODE_CHANNEL_OPEN)

/** The largest content of one FileChunk. The reference uses it as the cap of its configuration; section 1.5. */
export const MAX_FRAGMENT_BYTES = 16_777_216

/** Content bytes of a fragment that we send in the bytes view. Ours. */
export const FRAGMENT_BYTES = 65_536

/** Bytes view: content bytes that a sender may have unacknowledged on one channel. Ours; both ends must agree. */
export const WINDOW_BYTES = 524_288

/** Bytes view: of which a sender uses so many where the connection has other channels too: their frames wait behind these. Ours: measured. */
export const SHARED_WINDOW_BYTES = 262_144

/** Bytes view: fragments that a sender may have unacknowledged on one channel. Ours; both ends must agree. */
export const WINDOW_FRAGMENTS = 1024

/** Bytes view: of what its sink was given, a channel holds the last so many bytes and the last array; the peer has taken those before. Ours. */
export const HELD_BYTES: number = WINDOW_BYTES + SEND_BUFFER_BYTES

/** Channels that one side may have open on a connection. Ours, from section 8; the reference allows a million. */
export const MAX_CHANNELS = 1024

/** Channels that the peer has opened and nobody has taken yet. Ours: as many as there may be channels, for they come many in one read. */
export const MAX_ACCEPT_BACKLOG = 1024

/** Opens of the peer that came to nothing, in a burst, before the connection is given up: refused, or reset by the peer itself. Ours. */
export const MAX_WASTED_OPENS = 1024

/** How many of them are forgiven each second. Ours. */
export const WASTED_OPENS_PER_SECOND = 200

/** Packets view: packets other than FileChunk that wait on one channel to be taken. Ours; an honest peer may acknowledge a whole window at once, and say two things more. */
export const MAX_WAITING_PACKETS = 128

/** Content bytes that wait on one connection, all channels together, before reading from it stops. Ours. */
export const MAX_BUFFERED_BYTES = 33_554_432

/** Packets view: content of fragments arrives in blocks of so many bytes, which are used again. Ours. */
export const BLOCK_BYTES = 131_072

/** Blocks of all connections together; beyond, memory is not used again. Ours: 16 MiB, of which the system gives what was once in use. */
export const MAX_BLOCKS = 128

/** How long the peer may take to end its direction after ours has ended. Ours. */
export const FAREWELL_MS = 5_000

/** Draws of a random id before giving up (the reference uses 5; section 3.1). */
export const MAX_ID_DRAWS = 5

/** Ids of closed channels that are not drawn again: a late ChannelClose would hit the new one (section 3.3). Ours. */
export const RECENT_IDS = 4096

/** Bytes view: bytes that `write` may leave waiting on one channel before it says no: more than a frame, for who writes there hears of room only by an event. Ours. */
export const WRITE_BUFFER_BYTES = 262_144
