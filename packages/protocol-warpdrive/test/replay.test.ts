/** Both recorded generations, in both roles, byte for byte. */
import { duplexPair, scriptedPeer } from '@ropewalk/testing'
import t from 'tap'
import { listOf, parseJson, PROFILES, readInfo, readOffer, readPeer, SessionDescriber, type Description } from '../src/codec.ts'
import {
  acceptOffer, createOffer, download, downloaded, endSession, finishDownload, listenOffers, listenStatus, listOffers, listPeers, ping, sendOffer, serveSession, Session,
  updatePeer, type Answers
} from '../src/index.ts'
import { bytesOf, CAPTURES, hexOf, side, type Capture } from './fixtures.ts'

/** What we answer on purpose otherwise: local commands of others and unknown codes close, and nothing behind JSON is lost. */
const OTHERWISE: Record<string, string> = { 'unauthorized-local-commands': '', 'unknown-command-remote': '', 'pipelined-after-json': '0005c80600' }

/** Answers as the original did: everything is taken from what was recorded. */
function recorded (capture: Capture): Answers {
  const bytes = bytesOf(side(capture, 's2c'))
  let at = 0
  const byte = (): number => {
    if (at >= bytes.length) throw new Error('closed without a reply')
    return bytes[at++] as number
  }
  const line = (): unknown => {
    const end = bytes.indexOf(0x0a, at)
    return parseJson(bytes.subarray(at, at = end + 1))
  }
  return {
    peers: () => listOf(line(), 100, readPeer),
    offers: () => listOf(line(), 100, item => readOffer(item, 100)),
    async * listen (_what, _filter, { signal }) {
      while (bytes[at] === 0x7b) yield readOffer(line(), 100)
      await new Promise(resolve => { signal?.addEventListener('abort', resolve) })
    },
    async createOffer () {
      const length = byte()
      const id = new TextDecoder().decode(bytes.subarray(at, at += length))
      return { id, accepted: byte() === 1 }
    },
    acceptOffer: async () => byte(),
    updatePeer: () => byte(),
    admit: () => {},
    sendOffer: async () => ({ accepted: byte() === 1 }),
    download () {
      byte()
      return (async function * () { yield bytes.subarray(at) })()
    }
  }
}

for (const capture of CAPTURES) {
  t.test(`as server: ${capture.name}`, async t => {
    const [left, right] = duplexPair()
    const peer = scriptedPeer(left)
    const { profile, port, caller, authorized } = capture
    const served = serveSession(right, recorded(capture), { profile: PROFILES[profile], port, caller, local: authorized })
    const otherwise = OTHERWISE[capture.name]
    let answer = ''
    for (const [dir, hex] of capture.chunks) {
      if (dir === 'c2s') await peer.send(bytesOf(hex)).catch(() => {})
      else if (otherwise === undefined) answer += hexOf(await peer.read(hex.length / 2))
    }
    await peer.end().catch(() => {})
    answer += hexOf((await peer.readUntilGone()).bytes)
    t.equal(answer, otherwise ?? side(capture, 's2c'))
    await served
  })
}

/** What no client of ours says: parts of commands, unknown ones, and JSON with spaces, which a script wrote. */
const UNSAID = ['unauthorized-local-commands', 'unknown-command-remote', 'pipelined-after-json', 'eof-no-command', 'foreign-identity-local-app', 'seed-local-list-and-update-peers']

for (const capture of CAPTURES) {
  if (UNSAID.includes(capture.name)) continue
  t.test(`as client: ${capture.name}`, async t => {
    const profile = PROFILES[capture.profile]
    const wanted = bytesOf(side(capture, 'c2s'))
    const described = new SessionDescriber(profile, capture.port).push(wanted)
    // We end a subscription and acknowledge by 00, as the document says; any byte does.
    for (const item of described) if ('byte' in item && item.as !== 'signal') wanted[item.start] = 0
    const [left, right] = duplexPair()
    const peer = scriptedPeer(right)
    const session = new Session(left, { profile, port: capture.port })
    const said = say(session, capture, described)
    let at = 0
    // We wait for each echo; the recorded client sent several signals at once.
    const pings = described.some(item => 'byte' in item && item.as === 'signal')
    for (const [dir, hex] of pings ? [['s2c', side(capture, 's2c')], ['c2s', side(capture, 'c2s')]] as const : capture.chunks) {
      if (dir === 's2c') await peer.send(bytesOf(hex))
      else await peer.expect(wanted.subarray(at, at += hex.length / 2))
    }
    const silent = side(capture, 's2c') === '' && capture.name !== 'seed-remote-end'
    const short = !silent && capture.name.includes('download') && !hexOf(wanted).endsWith('00ff')
    await peer.end()
    if (silent) await t.rejects(said, { code: 'ERR_REFUSED' })
    else if (short) await t.rejects(said, { code: 'ERR_INCOMPLETE' })
    else await said
    if (silent || short) session.abort(new Error('over'))
    else {
      await session.close()
      t.equal(hexOf((await peer.readUntilGone()).bytes), '', 'and nothing more')
    }
  })
}

async function say (session: Session, capture: Capture, described: Description[]): Promise<void> {
  const reply = side(capture, 's2c')
  for (const [at, item] of described.entries()) {
    if ('byte' in item) continue
    const fields = item.fields as unknown as Record<string, string> & { filter: number }
    switch (item.fields.command) {
      case 'listPeers': await listPeers(session); break
      case 'createOffer': await createOffer(session, fields['peer_id'] as string, fields['path'] as string); break
      case 'acceptOffer': await acceptOffer(session, fields['offer_id'] as string); break
      case 'listOffers': await listOffers(session, fields.filter); break
      case 'updatePeer': await updatePeer(session, fields['peer_id'] as string, fields['attr'] as 'mod', fields['value'] as string); break
      case 'listenOffers':
      case 'listenStatus': {
        let left = capture.chunks.filter(([dir, hex]) => dir === 's2c' && hex.startsWith('7b')).map(([, hex]) => hex.match(/7d0a/g)?.length ?? 0).reduce((a, b) => a + b, 0)
        for await (const _ of item.fields.command === 'listenOffers' ? listenOffers(session, fields.filter) : listenStatus(session, fields.filter)) if (--left === 0) break
        break
      }
      case 'sendOffer': await sendOffer(session, fields['offer_id'] as string, listOf(fields['files'], 100, readInfo)); break
      case 'download': {
        await download(session, fields['offer_id'] as string, Number(fields['index']), Number(fields['offset']))
        const short = !side(capture, 'c2s').endsWith('00ff')
        let left = reply.length / 2 - 1 + Number(short)
        while (left > 0) left -= (await downloaded(session, left)).length
        if (!short) return finishDownload(session)
        break
      }
      case 'ping': return ping(session, described.slice(at + 1).flatMap(item => 'byte' in item && item.byte !== 0 ? [item.byte] : []))
      case 'end': return endSession(session)
    }
  }
}
