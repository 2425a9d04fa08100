/**
 * Peers that are there, have the key that is expected of them, and say nothing any more.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import type { Channel, Connection, Muxer } from '@ropewalk/interface'
import { mdsftp } from '@ropewalk/muxer-mdsftp'
import { handle, select } from '@ropewalk/negotiate'
import { sendOffer, serveSession, Session, type Answers } from '@ropewalk/protocol-warpdrive'
import { createIdentity, listen, type TlsAddress } from '@ropewalk/transport-tcp'
import { PAIR, WARPDRIVE } from '../src/peers/links.ts'

interface Test { teardown (work: () => Promise<void> | void): unknown }

/** What is the last that a peer does. */
export type Last = 'connection' | 'handshake' | 'channel' | 'protocol'

export interface SilentPeer {
  /** HOST:PORT#sha256=KEY. */
  readonly address: string
  /** Resolves when somebody has got as far as this peer goes. */
  readonly reached: Promise<void>
}

/** Takes connections, with TLS, and their channels, and agrees on the protocol, as far as `last`. */
export async function silentPeer (t: Test, last: Last): Promise<SilentPeer> {
  const reached = Promise.withResolvers<void>()
  if (last === 'connection') {
    const server = createServer(socket => {
      t.teardown(() => { socket.destroy() })
      socket.on('error', () => {})
      reached.resolve()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => { server.close() })
    return { address: `127.0.0.1:${(server.address() as AddressInfo).port}#sha256=${(await createIdentity()).fingerprint}`, reached: reached.promise }
  }
  const { address } = await listening(t, async connection => {
    if (last === 'handshake') return reached.resolve()
    await everyChannel(t, mdsftp(connection, { role: 'acceptor' }), async channel => {
      if (last === 'protocol') await handle(channel, [WARPDRIVE, PAIR])
      reached.resolve()
    })
  })
  return { address, reached: reached.promise }
}

/** Offers one file, and stops in the middle of giving it: that connection, and each that comes, is silent from then on, until it is told to go on with those that come. */
export class SilentSender {
  readonly content: Uint8Array = new Uint8Array(300_000).map((_, at) => at % 251)
  /** Of the download that it stops in. */
  readonly silent: Promise<void>
  /** Where downloads were to begin. */
  readonly offsets: number[] = []
  address = ''
  #given = 100_000
  #speaks = true
  #silences = 0
  #muxer: Muxer | undefined
  readonly #silent = Promise.withResolvers<void>()

  private constructor () {
    this.silent = this.#silent.promise
  }

  static async start (t: Test): Promise<SilentSender> {
    const sender = new SilentSender()
    const { address } = await listening(t, async (connection, caller) => {
      if (!sender.#speaks) return
      const silences = sender.#silences
      sender.#muxer = mdsftp(connection, { role: 'acceptor' })
      await everyChannel(t, sender.#muxer, async channel => {
        if (sender.#silences !== silences) return
        await serveSession((await handle(channel, [WARPDRIVE])).channel, sender.#answers(), { port: 'warpdrive', caller, local: false })
      })
    })
    sender.address = address
    return sender
  }

  /** Offers its file to whoever has connected last. */
  async offer (id: string): Promise<void> {
    const channel = await (this.#muxer as Muxer).open()
    const sha256 = createHash('sha256').update(this.content).digest('hex')
    await sendOffer(new Session((await select(channel, [WARPDRIVE], { lazy: true })).channel), id, [
      { uri: 'film', path: 'film', name: 'film', size: this.content.length, isDir: false, perm: 0o644, mime: '', sha256 }
    ])
  }

  /** Whoever connects from now on is answered, to the end. */
  goOn (): void {
    this.#given = this.content.length
    this.#speaks = true
  }

  #answers (): Answers {
    const sender = this
    return {
      admit: () => {},
      confirmed: () => {},
      settleOffer: async () => {},
      download: async function * (_caller: string, _id: string, _index: bigint, offset: bigint): AsyncGenerator<Uint8Array> {
        sender.offsets.push(Number(offset))
        const end = sender.#given
        yield sender.content.subarray(Number(offset), end)
        if (end === sender.content.length) return
        sender.#speaks = false
        sender.#silences++
        sender.#silent.resolve()
        await new Promise(() => {})
      }
    } as unknown as Answers
  }
}

/** `take` gets every connection, and the key of who has dialled it. */
async function listening (t: Test, take: (connection: Connection, caller: string) => Promise<void> | void): Promise<{ readonly address: string }> {
  const identity = await createIdentity()
  const listener = await listen({ transport: 'tls', host: '127.0.0.1', port: 0 } satisfies TlsAddress, { tls: { identity, requestClientCertificate: true } })
  t.teardown(async () => { await listener.close() })
  void (async () => {
    for await (const connection of listener) {
      t.teardown(() => { connection.abort(new Error('the test is over')) })
      void (async () => { await take(connection, connection.remote.fingerprint ?? '') })().catch(() => {})
    }
  })().catch(() => {})
  return { address: `127.0.0.1:${listener.address.port}#sha256=${identity.fingerprint}` }
}

async function everyChannel (t: Test, muxer: Muxer, take: (channel: Channel) => Promise<void>): Promise<void> {
  t.teardown(() => { muxer.abort(new Error('the test is over')) })
  for await (const channel of muxer) void take(channel).catch(() => {})
}
