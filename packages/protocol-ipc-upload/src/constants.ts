/** libipc's own message type, the first byte of the 6-byte header. From the specification, section 1.1. */
export const LibraryType = { ServerClose: 0, Error: 1, Data: 2, Lookup: 3 } as const

/** User types of the profile `readme`. From the specification, section 3; the last two are ours, for who has agreed on them. */
export const ReadmeType = { Authentication: 1, Response: 2, Transfer: 3, Block: 64, Taken: 65 } as const

/** User types of the profile `final`. From the specification, section 6; the errors are their own codes. The last two are ours, for who has agreed on them. */
export const FinalType = { Login: 0, LoginOk: 5, Upload: 20, Download: 30, PutChunk: 40, GetChunk: 41, GetRange: 66, Piece: 67 } as const

/** Error codes of the profile `final`, which are user types. From the specification, section 6. */
export const FinalError = {
  Generic: 200, Authorization: 201, ChunkPresent: 202, NotYours: 203, FilePresent: 204, NoFile: 205, FileComplete: 206, TooBig: 207
} as const

/** Content of a block where nothing was negotiated. The original uses it. */
export const BLOCK_BYTES = 1000

/** Smallest and largest block that may be agreed on. From the specification, section 4, row 3. */
export const MIN_BLOCK_BYTES = 64
export const MAX_BLOCK_BYTES = 16_384

/** Blocks under way at once that our own peers agree on at most. Ours. */
export const MAX_WINDOW = 64

/** Most bytes that one GetRange may ask for: a window of blocks. Ours. */
export const MAX_RANGE_BYTES: number = MAX_BLOCK_BYTES * MAX_WINDOW

/** Ranges that our client asks for before the first has come. Ours. */
export const RANGES_AHEAD = 2

/** Most bytes of a message, without its header. From the specification, section 1.1. */
export const MAX_PAYLOAD_BYTES = 65_536

/** Most bytes of one frame of the framing `stream4`, its length included. The original uses it. */
export const MAX_STREAM4_BYTES = 100_000

/** Characters of base64 in a line of the profile `final`. The original uses it. */
export const BASE64_LINE = 60

/** Most characters of a token. From the specification, section 2. */
export const MAX_TOKEN_CHARACTERS = 4096

/** Most bytes of an id that a peer chose. From the specification, section 4, row 2. */
export const MAX_ID_BYTES = 128

/** Most characters of the key `id` of the profile `final`, as JSON. Ours. */
export const MAX_ECHO_CHARACTERS = 256

/** Tags of a transfer, and bytes of one. From the specification, section 4, row 28. */
export const MAX_TAGS = 32
export const MAX_TAG_BYTES = 64

/** Bytes of a file's name. Ours: what file systems take. */
export const MAX_NAME_BYTES = 255

/** Files of one transfer. Ours. */
export const MAX_FILES = 64

/** Most bytes of one file. The original's default. */
export const MAX_FILE_BYTES = 10_000_000

/** Most blocks of one transfer: its ids are kept while it is open. Ours. */
export const MAX_CHUNKS = 131_072

/** Transfers that a server keeps open for one connection. Ours. */
export const MAX_OPEN_TRANSFERS = 16

/** Tries to authenticate, and messages that nobody can read, before a connection is closed. From the specification, section 4. */
export const MAX_TOKEN_TRIES = 3
export const MAX_MALFORMED = 3

/** Responses to nothing that a client ignores before it gives up. From the specification, section 5. */
export const MAX_STRAY_RESPONSES = 3

/** Times a block is sent again after an error that may pass, or after silence. From the specification, section 5. */
export const MAX_RETRIES = 3

/** How long a client waits for an answer. From the specification, section 4, row 25. */
export const ANSWER_TIMEOUT_MS = 10_000

/** How long a server waits for a message. From the specification, section 4, row 26. */
export const IDLE_TIMEOUT_MS = 60_000

/** Bytes that a server throws away from who may say no more, before it closes. Ours. */
export const LINGER_BYTES = 1_048_576

/** What clocks may differ by when tokens are looked at. From the specification, section 2. */
export const LEEWAY_MS = 60_000

/** Shortest key of HS256. From the specification, section 2. */
export const MIN_KEY_BYTES = 16

/** Highest user id. From the specification, section 2. */
export const MAX_UID = 2_147_483_647

/** What a RESPONSE says when it says no: the exact texts of the specification, section 4. */
export const Reason = {
  InvalidToken: 'invalid token',
  TokenExpired: 'token expired',
  NotLogged: 'user not logged',
  AlreadyAuthenticated: 'already authenticated',
  Malformed: 'malformed message',
  UnknownType: 'unknown message type',
  BadName: 'bad file name',
  TooManyFiles: 'too many files',
  TooBig: 'file too big',
  Quota: 'quota exceeded',
  FidConflict: 'fid conflict',
  NotYours: 'This file is not yours',
  UnknownChunk: 'unknown chunk',
  BadLength: 'bad chunk length',
  BadData: 'bad data encoding',
  ChunkConflict: 'chunk conflict',
  DigestMismatch: 'digest mismatch',
  Storage: 'storage failure',
  Unexpected: 'unexpected error'
} as const

export type Reason = typeof Reason[keyof typeof Reason]
