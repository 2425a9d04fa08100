/**
 * Answers Reserve and Put, and receives what is uploaded: written before it is acknowledged, checked against what was
 * announced, and settled before its last acknowledgement.
 *
 * @module
 */
import type { ControlPacket, ErrorKind } from '@ropewalk/muxer-mdsftp'
import { StorageError } from './errors.ts'
import { closedEarly } from './exchange.ts'
import type { Incoming, UploadOwner } from './incoming.ts'
import { ReceiverState } from './receiver-state.ts'
import { answer, type Session } from './session.ts'
import { Report } from './transfer.ts'

export async function serveReserve (session: Session, { flags, size }: Extract<ControlPacket, { type: 'Reserve' }>): Promise<boolean> {
  const { service: { node, window, owner } } = session
  if (session.tied !== undefined) return refuse(0n)
  const reserved = await node.reserve(size, flags.durable, owner, flags.autoStart && !flags.temp).catch(() => ({ spaceLeft: 0n }))
  if ('spaceLeft' in reserved) return refuse(reserved.spaceLeft)
  const { id: chunkId } = reserved
  const reply = { type: 'ReserveOk', chunkId, chunkBuffer: window } as const

  // Temp: the data comes later, by Put on another channel (specification section 5.1).
  if (flags.temp) {
    answer(session, reply)
    return false
  }
  if (!flags.autoStart) {
    session.tied = chunkId
    answer(session, reply)
    return true
  }
  let upload: Incoming
  try {
    node.lock(chunkId, 'write')
    upload = await node.begin(chunkId, 0, ownerOf(session), reserved)
  } catch {
    await node.release(chunkId).catch(() => {})
    return refuse(0n)
  }
  await receive(session, upload, reply)
  return false

  function refuse (spaceLeft: bigint): false {
    answer(session, { type: 'ReserveErr', spaceLeft })
    return false
  }
}

export async function servePut (session: Session, { chunkId, append, size }: Extract<ControlPacket, { type: 'Put' }>): Promise<boolean> {
  const { service: { node, profile, window } } = session
  await node.settled(chunkId)
  const reservation = await node.reservation(chunkId).catch(() => undefined)
  // A node that died behind the last byte finds it complete. Where there is no Commit, it is uploaded again.
  if (reservation === undefined || (reservation.state === 'complete' && profile.name !== 'seed')) return refuse('not_found')
  if (!node.lock(chunkId, 'write')) return refuse('not_available')

  let upload: Incoming
  try {
    const offset = await offsetOf(reservation.size)
    if (offset === undefined) {
      node.locks.release(chunkId, 'write')
      return refuse('not_available')
    }
    upload = await node.begin(chunkId, offset, ownerOf(session))
  } catch (error) {
    return refuse((error as { code?: unknown }).code === 'ERR_REMOVED' ? 'not_found' : 'not_available')
  }
  await receive(session, upload, { type: 'PutOk', chunkBuffer: window })
  return false

  /** Where to go on, or nothing when what is announced is not what is missing. The seed has neither append nor a size that counts. */
  async function offsetOf (whole: number): Promise<number | undefined> {
    if (profile.name === 'seed') return 0
    try {
      // The length of what is there, not a count of what came (finding 8).
      const offset = append ? await node.sizeOf(chunkId) ?? 0 : 0
      return size === BigInt(whole - offset) ? offset : undefined
    } catch {
      return undefined
    }
  }

  function refuse (errorKind: ErrorKind): false {
    answer(session, { type: 'PutErr', errorKind })
    return false
  }
}

/** Receives what `reply` invites. Every way out ends the upload. */
async function receive (session: Session, upload: Incoming, reply: Extract<ControlPacket, { type: 'ReserveOk' | 'PutOk' }>): Promise<void> {
  const { exchange, service } = session
  const { channel } = exchange
  const total = upload.size - upload.recorded
  const report = new Report(service.onEvent, upload.id, 'receive', total)
  const state = new ReceiverState(total)
  let broken = false
  let ended = false
  try {
    // The original has up to one fragment more under way than the window says (specification section 4.3).
    channel.reuses = true
    channel.grant(reply.chunkBuffer + 1)
    answer(session, reply)
    for (;;) {
      exchange.within(service.progressMs, 'fragment')
      const packet = await exchange.next()
      exchange.pause()
      if (packet === undefined) throw closedEarly(`${upload.recorded} of ${upload.size} bytes received`)
      if (packet.type === 'RecvAck') {
        broken = true
        exchange.violation(packet.type)
      }
      if (packet.type !== 'FileChunk') continue
      broken = true
      try {
        state.fragment(packet.number, packet.content.byteLength, packet.last)
        broken = false
        if (packet.content.byteLength > 0) await upload.write(packet.content)
      } finally {
        channel.release(packet)
      }
      report.progress(state.received)

      if (state.complete) {
        channel.revoke()
        ended = true
        await finish(upload)
      } else channel.grant(1)
      exchange.send({ type: 'RecvAck', number: packet.number })
      if (state.complete) break
    }
    report.finished()
  } catch (error) {
    const outcome = ended ? undefined : await upload.end(broken).catch(() => undefined)
    // Every byte came, if not the word that it was the last: that is an upload of nothing, or one that the peer will commit all the same.
    if (outcome === 'complete') report.finished()
    else report.failed(error)
    throw error
  }
}

/** Settles a complete upload, before its last acknowledgement: whoever sees that may commit at once, or read in the seed profile. */
async function finish (upload: Incoming): Promise<void> {
  if (await upload.end(false) !== 'complete') throw new StorageError('ERR_STORE', 'transfer', `${upload.id} could not be kept`, { remote: false })
}

function ownerOf ({ exchange, service }: Session): UploadOwner {
  return {
    interrupt: reason => exchange.fail(reason),
    alive: () => !exchange.channel.closed,
    final: service.profile.name === 'seed'
  }
}
