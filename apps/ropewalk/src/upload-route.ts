/**
 * The way to a server of uploads: a channel for each transfer, and a new one whenever that breaks.
 *
 * @module
 */
import type { Channel, Connection, Muxer } from '@ropewalk/interface'
import { yamux } from '@ropewalk/muxer-yamux'
import { select } from '@ropewalk/negotiate'
import { dial as dialPackets, type SeqpacketAddress } from '@ropewalk/transport-seqpacket'
import type { Context } from './context.ts'
import { codeOf, messageOf, RopewalkError } from './errors.ts'
import { reach, type SessionFlags } from './session.ts'
import { statePath } from './state-directory.ts'
import { formatUploadAddress, UPLOAD_PROTOCOL, type UploadAddress } from './upload-address.ts'

/** How long a close may wait. By then everything was answered. Ours. */
const CLOSE_TIMEOUT_MS = 1000

export class UploadRoute implements AsyncDisposable {
  readonly #context: Context
  readonly #address: UploadAddress
  readonly #flags: Pick<SessionFlags, 'trust' | 'json'>
  #muxer: Promise<Muxer> | undefined
  #first: Channel | undefined
  #channels = 0

  private constructor (context: Context, address: UploadAddress, flags: Pick<SessionFlags, 'trust' | 'json'>) {
    this.#context = context
    this.#address = address
    this.#flags = flags
  }

  /** Connects, so that what is wrong with the address is known before the first file. */
  static async open (context: Context, address: UploadAddress, flags: Pick<SessionFlags, 'trust' | 'json'>): Promise<UploadRoute> {
    const route = new UploadRoute(context, address, flags)
    route.#first = await route.#channel()
    return route
  }

  /** Channels opened so far. */
  get channels (): number {
    return this.#channels
  }

  /** A channel that speaks the protocol: a connection of its own on a unix socket, one of many on a muxed connection. */
  async channel (): Promise<Channel> {
    const first = this.#first
    this.#first = undefined
    const channel = first ?? await this.#channel()
    this.#channels++
    return channel
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#first?.abort(new Error('not needed'))
    const muxer = await this.#muxer?.catch(() => undefined)
    await muxer?.close({ signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) }).catch((error: unknown) => { muxer.abort(error as Error) })
  }

  async #channel (): Promise<Channel> {
    // Over TLS there is always a muxer.
    if (this.#address.transport !== 'tls' && !('mux' in this.#address)) return await this.#reach()
    this.#muxer ??= this.#reach().then(connection => yamux(connection, { role: 'client' }))
    const { signal } = this.#context
    try {
      const { channel } = await select(await (await this.#muxer).open({ signal }), [UPLOAD_PROTOCOL], { signal })
      return channel
    } catch (error) {
      // What is broken stays so: the next one dials anew.
      const broken = this.#muxer
      this.#muxer = undefined
      await broken.then(muxer => { muxer.abort(error as Error) }, () => {})
      throw error
    }
  }

  async #reach (): Promise<Connection> {
    const address = this.#address
    if (address.transport === 'seqpacket') return await reachPackets(this.#context, address)
    return await reach(this.#context, address, statePath(this.#context.env), this.#flags, formatUploadAddress)
  }
}

async function reachPackets ({ signal }: Context, address: SeqpacketAddress): Promise<Connection> {
  try {
    return await dialPackets(address, { signal })
  } catch (error) {
    signal.throwIfAborted()
    const absent = codeOf(error) === 'ERR_UNAVAILABLE'
    throw new RopewalkError(absent ? 'ERR_UNAVAILABLE' : 'ERR_UNREACHABLE', `cannot connect to ${formatUploadAddress(address)}`, { cause: error, advice: [messageOf(error)] })
  }
}
