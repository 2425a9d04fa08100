/** Sessions recorded from the original, replayed in both roles. */
import { link, duplexPair } from '@ropewalk/testing'
import t, { type Test } from 'tap'
import { decodeFinal, decodePacket, type FinalMessage } from '../src/codec.ts'
import { uploadFinal } from '../src/index.ts'
import { nodeHashes } from '../src/node/index.ts'
import { bytesOf, capture, type Step } from './recorded.ts'
import { connect, scene, Speaker, type Scene } from './scene.ts'

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** The last answers of these steps are not the original's, by decision; what ours says instead. */
const OTHERWISE: Record<string, Record<number, Partial<FinalMessage> & Record<string, unknown>>> = {
  'auth-failures': {
    // A signature is checked by the algorithm that the token names, and that may not be none; 64-bit times do not overflow.
    15: { type: 'Failure', code: 200, reason: 'unexpected error' },
    17: { type: 'LoginOk' }
  },
  errors: {
    14: { type: 'Failure', code: 205, reason: 'file does not exist' },
    16: { type: 'Failure', code: 205, reason: 'file does not exist' },
    28: { type: 'Failure', code: 207, limit: 2000, reason: 'file too big', id: '9' }
  },
  'no-verification': {
    5: { type: 'Failure', reason: 'digest mismatch' },
    7: { type: 'Failure', reason: 'bad chunk length' },
    9: { type: 'Failure', reason: 'bad chunk length' }
  },
  traversal: {
    3: { type: 'Failure', reason: 'malformed message' },
    5: { type: 'Failure', code: 205, reason: 'file does not exist' }
  }
}

/** Plays the client's side of a session to our server. Silence of the original is an answer of ours. */
async function replay (t: Test, name: string, setting: Scene): Promise<void> {
  let speaker: Speaker | undefined
  for (const [at, step] of numbered(capture(name))) {
    if (step.event === 'new connection') {
      speaker?.end()
      speaker = connect(setting.node, 'final').speaker
    } else if (step.event !== undefined) {
      t.match(await speaker?.hearFinal(), { type: 'Failure', code: 200, reason: /malformed message|unknown message type/ }, `${name} ${at}: an answer instead of silence`)
    } else if (step.from === 'client') {
      speaker?.raw(bytesOf(step.hex as string))
    } else {
      const wanted = decodePacket(bytesOf(step.hex as string))
      const frame = await speaker?.frame()
      if (frame === undefined) throw new Error(`${name} ${at}: the connection ended`)
      const other = OTHERWISE[name]?.[at]
      const message = decodeFinal(frame.userType, frame.payload)
      if (other !== undefined) {
        t.match(message, other, `${name} ${at}`)
      } else if ((decodeFinal(wanted.userType, wanted.payload) as { mid: string }).mid === '') {
        // Errors that the original raises do not carry the request's mid; ours always do.
        const { mid: _mine, ...mine } = message
        const { mid: _theirs, ...theirs } = decodeFinal(wanted.userType, wanted.payload)
        t.same({ userType: frame.userType, ...mine }, { userType: wanted.userType, ...theirs }, `${name} ${at}`)
      } else {
        t.equal(hexOf(frame.payload), hexOf(wanted.payload), `${name} ${at}`)
        t.equal(frame.userType, wanted.userType)
      }
    }
  }
  speaker?.end()
}

/** Steps with the number that stands in the recording, which does not count events. */
function * numbered (steps: readonly Step[]): Generator<[number, Step]> {
  let number = 0
  for (const step of steps) yield [step.event === undefined ? number++ : number, step]
}

t.test('our server says what the original said, byte for byte where it was right', async t => {
  for (const name of ['upload-in-order', 'duplicate-and-resume', 'empty-file', 'no-verification', 'traversal']) await replay(t, name, scene())
  await replay(t, 'auth-failures', scene({ maxTokenTries: 100 }))
  // Each silence of the original is a malformed message of ours, and three end a connection: that session goes in two.
  const whole = capture('errors')
  t.equal(whole.filter(({ event }) => event?.startsWith('no answer')).length, 4)
})

t.test('the session of errors, answer by answer', async t => {
  const setting = scene({ maxFileBytes: 2000 })
  const login = capture('errors').find(({ label }) => label === 'Login')?.hex as string
  let speaker = connect(setting.node, 'final').speaker
  let silent = 0
  for (const [at, step] of numbered(capture('errors'))) {
    if (step.event === 'new connection') continue
    if (step.event !== undefined) {
      t.match(await speaker.hearFinal(), { type: 'Failure', code: 200, reason: /malformed message|unknown message type/ })
      if (++silent % 2 === 0) {
        speaker.end()
        speaker = connect(setting.node, 'final').speaker
        speaker.raw(bytesOf(login))
        t.match(await speaker.hearFinal(), { type: 'LoginOk' })
      }
    } else if (step.from === 'client') {
      speaker.raw(bytesOf(step.hex as string))
    } else {
      const wanted = decodePacket(bytesOf(step.hex as string))
      const frame = await speaker.frame()
      const other = OTHERWISE['errors']?.[at]
      const theirs = decodeFinal(wanted.userType, wanted.payload)
      if (frame === undefined) throw new Error(String(at))
      if (other !== undefined) t.match(decodeFinal(frame.userType, frame.payload), other, String(at))
      else if (theirs.mid === '') t.match(decodeFinal(frame.userType, frame.payload), { ...theirs, mid: /./ }, String(at))
      else t.equal(hexOf(frame.payload), hexOf(wanted.payload), String(at))
    }
  }
  speaker.end()
})

t.test('our client says what the original\'s said, to the original\'s own answers', async t => {
  const steps = capture('upload-in-order').filter(({ from }) => from !== undefined)
  const requests = steps.filter(({ from }) => from === 'client').slice(0, 5).map(({ hex }) => decodePacket(bytesOf(hex as string)))
  const messages = requests.map(({ userType, payload }) => decodeFinal(userType, payload))
  const mids = messages.map(({ mid }) => mid)
  const [login, request] = messages
  if (login?.type !== 'Login' || request?.type !== 'Upload') throw new Error('another recording')
  const content = Buffer.concat(messages.map(message => message.type === 'PutChunk' ? Buffer.from(message.data, 'base64') : Buffer.alloc(0)))

  const { left, right } = link()
  const sent = uploadFinal(left, [{ name: request.file.name, size: content.length, digest: request.file.digest, read: (position, length) => content.subarray(position, position + length) }], {
    token: login.token, hashes: nodeHashes, tags: request.file.tags, messageId: () => mids.shift() as string, ackDigest: false
  })
  const server = new Speaker(right)
  for (const step of steps.slice(0, 10)) {
    if (step.from === 'server') server.raw(bytesOf(step.hex as string))
    else t.equal(hexOf((await server.frame())?.payload as Uint8Array), hexOf(decodePacket(bytesOf(step.hex as string)).payload))
  }
  server.end()
  t.same(await sent, [{ blocks: 3, present: false }])
})

t.test('our client resumes where the original says, and takes its 206 for done', async t => {
  for (const [from, blocks, present] of [[12, 2, false], [18, 0, true]] as const) {
    const steps = capture('duplicate-and-resume').filter(({ from }) => from !== undefined)
    const content = Buffer.concat(capture('upload-in-order').filter(({ from, label }) => from === 'client' && label === 'PutChunk').map(({ hex }) => {
      const message = decodeFinal(40, decodePacket(bytesOf(hex as string)).payload)
      return message.type === 'PutChunk' ? Buffer.from(message.data, 'base64') : Buffer.alloc(0)
    }))
    const digest = hexOf(nodeHashes.sha256(content))
    const mids = [steps[10], ...steps.slice(from).filter(({ from }) => from === 'client')].map(step => decodeFinal(0, new TextEncoder().encode(`{"mid":"${midOf(step as Step)}","token":""}`)).mid)
    const [left, right] = duplexPair()
    const sent = uploadFinal(left, [{ name: 'f.bin', size: 2500, digest, read: (position, length) => content.subarray(position, position + length) }], { token: 't', hashes: nodeHashes, ackDigest: false, messageId: () => mids.shift() as string })
    const server = new Speaker(right)
    for (const step of [...steps.slice(10, 12), ...steps.slice(from, from === 12 ? 18 : 20)]) {
      if (step.from === 'server') server.raw(bytesOf(step.hex as string))
      else await server.frame()
    }
    server.end()
    t.same(await sent, [{ blocks, present }])
  }
})

function midOf ({ hex = '' }: Step): string {
  const { userType, payload } = decodePacket(bytesOf(hex))
  return decodeFinal(userType, payload).mid
}
