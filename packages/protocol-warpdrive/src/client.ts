/**
 * What one side asks of the other: one function a command, on a session that is open.
 *
 * @module
 */
import { encodeCommand, type Command, type Filter } from './command-codec.ts'
import { MAX_ENTRIES, MAX_PEERS, PROGRESS_TIMEOUT_MS, type Outcome } from './constants.ts'
import { WarpdriveError } from './errors.ts'
import { listOf, parseJson, readOffer, readPeer, readStatus, type FileInfo, type Offer, type OfferStatus, type Peer } from './json-codec.ts'
import { portOf } from './profile-codec.ts'
import type { Session } from './session.ts'

const decoder = new TextDecoder()

export async function listPeers (session: Session): Promise<Peer[]> {
  await command(session, { type: 'listPeers' })
  const peers = listOf(await session.json('list peers'), MAX_PEERS, readPeer)
  if (session.profile.acknowledgesPeers) await session.send(Uint8Array.of(0))
  return peers
}

/** Has the daemon offer what is at `path`, as the daemon sees it, to `peer`. RangeError for a string over 255 bytes. */
export async function createOffer (session: Session, peer: string, path: string): Promise<{ readonly id: string, readonly accepted: boolean }> {
  await command(session, { type: 'createOffer', peer, path })
  const length = await reply(session, 'create offer')
  const id = decoder.decode(await session.bytes(length, 'create offer'))
  return { id, accepted: await reply(session, 'create offer') === 1 }
}

/** Resolves when the daemon has begun to download. */
export async function acceptOffer (session: Session, id: string): Promise<void> {
  await command(session, { type: 'acceptOffer', id })
  await reply(session, 'accept offer')
}

export async function listOffers (session: Session, filter: Filter = 0): Promise<Offer[]> {
  await command(session, { type: 'listOffers', filter })
  return listOf(await session.json('list offers'), 65_536, item => readOffer(item, session.maxEntries ?? MAX_ENTRIES))
}

/** Each new offer, until the loop is left or the daemon ends; then the session takes the next command. */
export async function * listenOffers (session: Session, filter: Filter = 0): AsyncGenerator<Offer, void, undefined> {
  yield * listen(session, { type: 'listenOffers', filter }, item => readOffer(item, session.maxEntries ?? MAX_ENTRIES))
}

/** Each change of an offer. */
export async function * listenStatus (session: Session, filter: Filter = 0): AsyncGenerator<OfferStatus, void, undefined> {
  yield * listen(session, { type: 'listenStatus', filter }, readStatus)
}

/** `mod` is `trust`, `block` or empty, which asks; `alias` is a name for people. */
export async function updatePeer (session: Session, peer: string, attribute: 'mod' | 'alias', value: string): Promise<void> {
  await command(session, { type: 'updatePeer', peer, attribute, value })
  await reply(session, 'update peer')
}

/** True when the peer will download by itself. */
export async function sendOffer (session: Session, id: string, files: readonly FileInfo[]): Promise<boolean> {
  await command(session, { type: 'sendOffer', id, files })
  return await reply(session, 'send offer') === 1
}

/** ... and that was all. */
export async function offerAlone (session: Session, id: string, files: readonly FileInfo[]): Promise<boolean> {
  try {
    const accepted = await sendOffer(session, id, files)
    await endSession(session)
    return accepted
  } catch (error) {
    session.abort(error as Error)
    throw error
  }
}

/** From `index` (-1: from the first) and `offset` bytes into it. Resolves when the peer begins; then come the bytes, without frames. */
export async function download (session: Session, id: string, index: number, offset: number): Promise<void> {
  await command(session, { type: 'download', id, index: BigInt(index), offset: BigInt(offset) })
  await reply(session, 'download')
}

/** The next bytes of a download, at most `most`. `ERR_INCOMPLETE` at the end. */
export async function downloaded (session: Session, most: number, ms: number = PROGRESS_TIMEOUT_MS): Promise<Uint8Array> {
  let bytes = new Uint8Array(0)
  await downloadTo(session, Math.min(most, 1_048_576), piece => { bytes = piece.slice() }, ms, 1)
  return bytes
}

/** The next `most` bytes of a download, piece by piece to `take`, which may not keep them; `ms` between two. Resolves to how many bytes; fewer, or `ERR_INCOMPLETE`, at the end. */
export async function downloadTo (session: Session, most: number, take: (bytes: Uint8Array) => void, ms: number, pieces: number = Infinity): Promise<number> {
  const bytes = await session.some(most, 'download', ms, take, pieces)
  if (bytes === 0) throw new WarpdriveError('ERR_INCOMPLETE', `the download ended early: 0 < ${most} bytes`, { scope: 'transfer' })
  return bytes
}

/** Tells the peer what became of its offer. Only for peers that know our extension. */
export async function settleOffer (session: Session, id: string, outcome: Outcome): Promise<void> {
  await command(session, { type: 'settleOffer', id, outcome })
  await reply(session, 'settle offer')
}

/** Asks for one entry from `offset` on, without waiting: `begun` and its bytes come when those before it have come. */
export async function askRange (session: Session, id: string, index: number, offset: number): Promise<void> {
  await command(session, { type: 'downloadRange', id, index: BigInt(index), offset: BigInt(offset) })
}

/** Asks for these entries, each from its first byte, without waiting: each is `begun`, and its bytes come, in that order, when all before have come. At most 1024. */
export async function askMany (session: Session, id: string, indices: readonly number[]): Promise<void> {
  await command(session, { type: 'downloadMany', id, indices })
}

/** The peer begins with what was asked for first. */
export async function begun (session: Session): Promise<void> {
  await reply(session, 'download')
}

/** All bytes are there: the peer is told, and nobody waits for an answer. */
export async function finishDownload (session: Session): Promise<void> {
  await session.send(Uint8Array.of(0))
  await endSession(session)
}

/** Each signal, 1 to 255, comes back; then the session is over, for only the peer's close leads out of a ping. */
export async function ping (session: Session, signals: Iterable<number>): Promise<void> {
  await command(session, { type: 'ping' })
  for (const signal of signals) {
    if (!(signal >= 1 && signal <= 255)) throw new RangeError(`a signal is 1 to 255, not ${signal}`)
    await session.send(Uint8Array.of(signal))
    const echo = await reply(session, 'ping')
    if (echo !== signal) throw new WarpdriveError('ERR_BAD_VALUE', `ping: ${echo} came back, not ${signal}`)
  }
  await session.send(Uint8Array.of(0))
  await session.byte('ping')
  await session.close()
}

export async function endSession (session: Session): Promise<void> {
  await session.send(Uint8Array.of(0xff))
  await session.close()
}

async function * listen<T> (session: Session, asked: Command, read: (item: unknown) => T): AsyncGenerator<T, void, undefined> {
  await command(session, asked)
  try {
    for (;;) {
      const bytes = await session.jsonBytes('listen', 2_147_483_647)
      if (bytes === undefined) return
      yield read(parseJson(bytes))
    }
  } finally {
    await session.send(Uint8Array.of(0))
  }
}

async function command (session: Session, asked: Command): Promise<void> {
  for (const piece of encodeCommand(session.profile, session.port ?? portOf(session.profile, asked.type), asked)) await session.send(piece)
}

async function reply (session: Session, what: string): Promise<number> {
  const byte = await session.byte(what)
  if (byte === undefined) throw new WarpdriveError('ERR_REFUSED', `${what}: the peer closed the session`)
  return byte
}
