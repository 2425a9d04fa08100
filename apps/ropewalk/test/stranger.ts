/**
 * A peer that is no node of ours, and sends what it likes.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { mdsftp } from '@ropewalk/muxer-mdsftp'
import { handle, select } from '@ropewalk/negotiate'
import { serveSession, Session, type Answers, type FileInfo } from '@ropewalk/protocol-warpdrive'
import { createIdentity, dial, type TlsAddress } from '@ropewalk/transport-tcp'
import { WARPDRIVE } from '../src/peers/links.ts'
import { parsePeerAddress } from '../src/peers/peer-address.ts'

/** What it says that it has. */
export const CONTENT: Uint8Array = new TextEncoder().encode('0123456789')
export const FILE: FileInfo = { uri: 'a', path: 'a', name: 'a', size: 10, isDir: false, perm: 0o644, mime: '', sha256: createHash('sha256').update(CONTENT).digest('hex') }

/** A stranger with a key, who speaks the protocol and answers downloads with `bytes`. */
export async function stranger (address: string): Promise<{ query (): Promise<Session>, answerWith (bytes: Uint8Array[]): void, close (): void }> {
  const to: TlsAddress = parsePeerAddress(address)
  const muxer = mdsftp(await dial(to, { tls: { identity: await createIdentity(), verify: () => true } }), { role: 'dialer' })
  let answer: Uint8Array[] = []
  const download = async function * (): AsyncGenerator<Uint8Array> {
    yield * answer
    if (answer.reduce((sum, { length }) => sum + length, 0) < CONTENT.length) throw new Error('and no more: the session ends')
  }
  const answers = { download, settleOffer: async () => {}, confirmed: () => {} } as unknown as Answers
  void (async () => {
    for await (const channel of muxer) {
      const { channel: agreed } = await handle(channel, [WARPDRIVE])
      void serveSession(agreed, answers, { port: 'warpdrive', caller: 'node', local: false })
    }
  })().catch(() => {})
  return {
    query: async () => new Session((await select(await muxer.open(), [WARPDRIVE], { lazy: true })).channel),
    answerWith: bytes => { answer = bytes },
    close: () => { muxer.abort(new Error('the test is over')) }
  }
}
