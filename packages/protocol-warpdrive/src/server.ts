/**
 * The answering side of one session, whatever answers: a node, or a test.
 *
 * @module
 */
import type { AbortOptions, Channel } from '@ropewalk/interface'
import { argumentBytes, decodeCommand, hasJson, type Command, type Filter } from './command-codec.ts'
import { IDLE_TIMEOUT_MS, MAX_UNCONFIRMED, MAX_WAITING_BYTES } from './constants.ts'
import { WarpdriveError } from './errors.ts'
import { encodeJson, offerJson, peerJson, statusJson, type FileInfo, type Offer, type OfferStatus, type Peer } from './json-codec.ts'
import { encodeCslq } from './cslq-codec.ts'
import { commandOf, LOCAL_COMMANDS, type CommandType } from './profile-codec.ts'
import type { ReadOptions } from './ports.ts'
import { Pieces, ReadRing } from './sending.ts'
import { Session, type SessionOptions } from './session.ts'

/** What a session is answered with. Whatever throws closes the session: the protocol has no other way to refuse. */
export interface Answers {
  peers (): Peer[] | Promise<Peer[]>
  createOffer (peer: string, path: string, options: AbortOptions): Promise<{ readonly id: string, readonly accepted: boolean }>
  acceptOffer (id: string, options: AbortOptions): Promise<unknown>
  offers (filter: Filter): Offer[] | Promise<Offer[]>
  /** Changes from now on. `offers`: only new ones. */
  listen (what: 'offers' | 'status', filter: Filter, options: AbortOptions): AsyncIterable<Offer | OfferStatus>
  updatePeer (peer: string, attribute: string, value: string): unknown
  /** Before anything is read. Throws when the caller is blocked. */
  admit (caller: string): void
  /** True: accepted. `answered` is called when the answer is out. */
  sendOffer (caller: string, id: string, files: readonly FileInfo[]): Promise<{ readonly accepted: boolean, answered? (): void }>
  /** One entry is whole at the caller, and lasts: our extension. */
  confirmed? (caller: string, id: string, index: number): void
  /** What became of an offer at the caller: our extension. */
  settleOffer? (caller: string, id: string, outcome: number): Promise<void>
  /** These entries, each with a 00 before it: our extension. Throws at once when there is nothing for this caller. */
  downloadMany? (caller: string, id: string, indices: readonly number[], pieces: Pieces, options: ReadOptions): AsyncIterable<Uint8Array>
  /** The bytes behind the confirmation. Throws, or rejects, when there is nothing for this caller. */
  download (caller: string, id: string, index: bigint, offset: bigint, one: boolean, options: ReadOptions): AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>
}

export interface ServeOptions extends SessionOptions {
  /** The port that was asked for. */
  port: string
  /** Who asks, as the transport has authenticated them: of a Connection `remote.fingerprint`. Never from what they send. */
  caller: string
  /** Whether the caller is the node itself, and may give local commands. */
  local: boolean
  /** How long the session may stand without a command. Default 60 s. */
  idleMs?: number | undefined
  /** Of what it is given the channel still uses no more than the last so many bytes, and the last array. By default it may use all. */
  heldBytes?: number | undefined
}

/** Answers until the session is over. Never rejects: resolves to what ended it, undefined when that was the caller's wish. */
export async function serveSession (channel: Channel, answers: Answers, options: ServeOptions): Promise<Error | undefined> {
  const session = new Session(channel, options)
  const sent: Sent[] = []
  // What waits here is in use, too.
  const heldBytes = options.heldBytes === undefined ? undefined : options.heldBytes + MAX_WAITING_BYTES
  const pieces = new Pieces(heldBytes)
  const ring = heldBytes === undefined ? undefined : new ReadRing(heldBytes)
  const reading: ReadOptions = { signal: session.signal, memory: ring === undefined ? undefined : bytes => ring.take(bytes) }
  try {
    while (await answerOne(session, answers, options, pieces, reading, sent));
    await session.close()
    return undefined
  } catch (error) {
    const failure = error instanceof Error ? error : new WarpdriveError('ERR_INTERRUPTED', 'the session failed', { cause: error })
    if (options.signal?.aborted === true) session.abort(failure)
    else await session.close()
    return failure
  }
}

/** Entries that were sent on this session and not confirmed, oldest first. */
interface Sent { readonly id: string, readonly index: number }

async function answerOne (session: Session, answers: Answers, options: ServeOptions, pieces: Pieces, reading: ReadOptions, sent: Sent[]): Promise<boolean> {
  const { caller, local, port, idleMs = IDLE_TIMEOUT_MS } = options
  const code = await session.byte('command', idleMs)
  // What ends a download may arrive as a command, and so may the LF behind a JSON value.
  if (code === 0) {
    const whole = sent.shift()
    if (whole !== undefined) answers.confirmed?.(caller, whole.id, whole.index)
  }
  if (code === 0 || code === 0x0a) return true
  if (code === undefined) return false
  const type = commandOf(session.profile, port, code)
  if (type === undefined) throw new WarpdriveError('ERR_UNKNOWN_COMMAND', `no command 0x${code.toString(16).padStart(2, '0')} on ${port}`)
  if (LOCAL_COMMANDS.has(type) && !local) throw new WarpdriveError('ERR_UNAUTHORIZED', `${type} is for the node itself`)
  if (type === 'end') return false
  if (type === 'sendOffer') answers.admit(caller)
  const command = await readCommand(session, type)
  const asked = command.type === 'downloadRange' ? [Number(command.index)] : command.type === 'downloadMany' ? command.indices : []
  if (sent.length + asked.length > MAX_UNCONFIRMED) throw new WarpdriveError('ERR_TOO_MANY', `too many entries that are not confirmed: ${sent.length + asked.length} > ${MAX_UNCONFIRMED}`)
  await perform(session, answers, caller, command, pieces, reading)
  for (const index of asked) sent.push({ id: (command as { id: string }).id, index })
  return type !== 'ping'
}

async function readCommand (session: Session, type: CommandType): Promise<Command> {
  let head: Uint8Array = new Uint8Array(0)
  for (let needed = argumentBytes(type, head); needed === undefined || needed > head.length; needed = argumentBytes(type, head)) {
    const more = await session.bytes(needed === undefined ? 1 : needed - head.length, type)
    const joined = new Uint8Array(head.length + more.length)
    joined.set(head)
    joined.set(more, head.length)
    head = joined
  }
  const json = hasJson(type) ? await session.jsonBytes(type) : undefined
  if (hasJson(type) && json === undefined) throw new WarpdriveError('ERR_TRUNCATED', `${type}: the session ended before its JSON`)
  return decodeCommand(type, head, json, session.maxEntries)
}

async function perform (session: Session, answers: Answers, caller: string, command: Command, pieces: Pieces, options: ReadOptions): Promise<void> {
  const { signal } = options
  switch (command.type) {
    case 'listPeers':
      await sendList(session, (await answers.peers()).map(peerJson))
      if (session.profile.acknowledgesPeers) await takeAny(session)
      break
    case 'createOffer': {
      const { id, accepted } = await answers.createOffer(command.peer, command.path, { signal })
      await session.send(encodeCslq('[c]cc', id, Number(accepted)))
      break
    }
    case 'acceptOffer':
      await answers.acceptOffer(command.id, { signal })
      await session.send(Uint8Array.of(0))
      break
    case 'listOffers':
      await sendList(session, (await answers.offers(command.filter)).map(offerJson))
      break
    case 'listenOffers':
    case 'listenStatus':
      await tell(session, answers, command.type === 'listenOffers' ? 'offers' : 'status', command.filter)
      break
    case 'updatePeer':
      await answers.updatePeer(command.peer, command.attribute, command.value)
      await session.send(Uint8Array.of(0))
      break
    case 'sendOffer': {
      const { accepted, answered } = await answers.sendOffer(caller, command.id, command.files)
      await session.send(Uint8Array.of(Number(accepted)))
      answered?.()
      break
    }
    case 'download':
    case 'downloadRange': {
      const bytes = await answers.download(caller, command.id, command.index, command.offset, command.type === 'downloadRange', options)
      await session.send(Uint8Array.of(0))
      for await (const chunk of bytes) await session.send(chunk)
      break
    }
    case 'downloadMany': {
      if (answers.downloadMany === undefined) throw new WarpdriveError('ERR_UNKNOWN_COMMAND', 'nobody here answers downloadMany')
      for await (const chunk of answers.downloadMany(caller, command.id, command.indices, pieces, options)) await session.send(chunk)
      break
    }
    case 'settleOffer':
      await answers.settleOffer?.(caller, command.id, command.outcome)
      await session.send(Uint8Array.of(0))
      break
    case 'ping':
      for (let byte = await session.byte('ping'); byte !== undefined; byte = await session.byte('ping')) {
        if (byte !== 0 || session.profile.echoesZero) await session.send(Uint8Array.of(byte))
        if (byte === 0) break
      }
      break
    default:
  }
}

async function sendList (session: Session, items: object[]): Promise<void> {
  await session.send(encodeJson(items.length === 0 ? null : items))
}

/** The acknowledgement of the seed profile, which may be any byte, an LF too. */
async function takeAny (session: Session): Promise<void> {
  await session.bytes(1, 'acknowledgement')
}

/** Events until the client sends one byte, which may be any. */
async function tell (session: Session, answers: Answers, what: 'offers' | 'status', filter: Filter): Promise<void> {
  const stop = new AbortController()
  const telling = (async () => {
    for await (const event of answers.listen(what, filter, { signal: stop.signal })) {
      await session.send(encodeJson(what === 'offers' ? offerJson(event as Offer) : statusJson(event)))
    }
  })()
  telling.catch(() => {})
  try {
    await Promise.race([session.bytes(1, 'listen', 2_147_483_647), telling.then(() => new Promise<never>(() => {}))])
  } finally {
    stop.abort()
    await telling.catch(() => {})
  }
}
