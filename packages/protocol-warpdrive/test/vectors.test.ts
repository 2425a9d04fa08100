import t from 'tap'
import {
  CommandCutter, commandOf, decodeCslq, encodeCommand, encodeCslq, encodeJson, infoJson, listOf, offerJson, parseJson, PROFILES, readInfo, readOffer, readStatus,
  SessionDescriber, statusJson, type Command, type CslqValue, type CutCommand, type Profile
} from '../src/codec.ts'
import { bytesOf, CAPTURES, hexOf, side, VECTORS } from './fixtures.ts'

t.test('cslq: every value of the original, both ways', async t => {
  const rows = VECTORS.filter(({ direction, name }) => direction === 'encoding' && name.startsWith('cslq') && !name.includes('bug'))
  t.ok(rows.length >= 15)
  for (const { name, hex, fields } of rows) {
    const pattern = fields.pattern as string
    const value = pattern === 'q' ? BigInt(fields.value as string) : fields.value as CslqValue
    const values = fields['values'] as CslqValue[] | undefined ?? [value]
    t.equal(hexOf(encodeCslq(pattern, ...values)), hex, name)
    const decoded = decodeCslq(pattern, bytesOf(hex))
    t.equal(decoded.end, hex.length / 2, name)
    t.equal(hexOf(encodeCslq(pattern, ...decoded.values)), hex, name)
    for (let cut = 0; cut < hex.length / 2; cut++) t.throws(() => decodeCslq(pattern, bytesOf(hex).subarray(0, cut)), { code: 'ERR_TRUNCATED' }, `${name}, cut at ${cut}`)
  }
})

t.test('cslq: what the original corrupts is refused', async t => {
  t.throws(() => encodeCslq('[c]c', 'a'.repeat(256)), { name: 'RangeError', message: '256 > 255 elements' })
  t.equal(encodeCslq('[c]c', 'a'.repeat(255)).length, 256)
  t.throws(() => encodeCslq('[c]c', 'ż'.repeat(128)), { message: '256 > 255 elements' })
  t.throws(() => encodeCslq('[4]c', [1, 2, 3]), { message: '3 != 4 elements' })
  t.throws(() => decodeCslq('x7fc', bytesOf('7e00')), { code: 'ERR_CONSTANT' })
  t.throws(() => decodeCslq('[q]c', bytesOf('ffffffffffffffff')), { code: 'ERR_TOO_LARGE' })
  t.throws(() => decodeCslq('[l]{}', bytesOf('ffffffff')), { code: 'ERR_TOO_LARGE' })
  for (const pattern of ['[0]c', '[c]', '[x]c', 'y', '{c', 'xg0']) t.throws(() => encodeCslq(pattern, 1), TypeError, pattern)
})

const portOf = (port: string | undefined, name: string): string => port === undefined || port === 'any' ? name === 'seed' ? 'warpdrive-local' : 'warpdrive' : port

t.test('every command of both profiles, decoded and encoded to the same bytes, at every cut', async t => {
  const seen = new Set<string>()
  for (const { name, direction, profile: profileName, port, hex, fields } of VECTORS) {
    if (direction !== 'client->server' || fields.cmd === undefined || name.includes('(document code)')) continue
    const profile = PROFILES[profileName]
    const at = portOf(port, profileName)
    const bytes = bytesOf(hex)
    const whole = new CommandCutter(profile, at).cut(bytes, 0)
    const { command } = whole?.value as CutCommand
    t.equal(whole?.end, bytes.length - Number(hasLf(command)), name)
    t.equal(commandOf(profile, at, fields.cmd), command.type, name)
    if (fields.json !== undefined && command.type === 'sendOffer') t.same(command.files.map(infoJson), fields.json, name)
    if (fields['offerId'] !== undefined) t.equal((command as { id: string }).id, fields['offerId'], name)
    if (fields['index'] !== undefined) t.equal(Number((command as { index: bigint }).index), fields['index'], name)
    if (fields['offset'] !== undefined) t.equal(String((command as { offset: bigint }).offset), String(fields['offset']), name)
    if (fields['filePath'] !== undefined) t.same([(command as { peer: string }).peer, (command as { path: string }).path], [fields['peerId'], fields['filePath']], name)
    if (fields['filter'] !== undefined) t.equal((command as { filter: number }).filter, fields['filter'], name)
    t.equal(hexOf(...encodeCommand(profile, at, command)), hex, name)
    for (let cut = 1; cut < bytes.length - 1; cut++) {
      const cutter = new CommandCutter(profile, at)
      t.equal(cutter.cut(bytes.subarray(0, cut), 0), undefined)
      if (cut === bytes.length - 2) t.throws(() => { new CommandCutter(profile, at).cut(bytes.subarray(0, cut), 0); cutter.end() }, { code: 'ERR_TRUNCATED' })
      t.same(cutter.cut(bytes.subarray(cut), 0)?.value.command, command)
    }
    seen.add(`${profileName} ${command.type}`)
  }
  for (const type of ['listPeers', 'createOffer', 'acceptOffer', 'listOffers', 'listenOffers', 'listenStatus', 'updatePeer', 'download', 'ping']) t.ok(seen.has(`go-838779e ${type}`), type)
  for (const type of ['listPeers', 'acceptOffer', 'listenOffers', 'updatePeer', 'sendOffer', 'download', 'end']) t.ok(seen.has(`seed ${type}`), type)
})

function hasLf (command: Command): boolean {
  return command.type === 'updatePeer' || command.type === 'sendOffer'
}

t.test('replies: the JSON of the original, both ways', async t => {
  const of = (name: string): string => (VECTORS.find(vector => vector.name === name) as { hex: string }).hex
  t.equal(hexOf(encodeJson(null)), of('empty list'))
  t.same(listOf(parseJson(bytesOf(of('empty list'))), 1, readInfo), [])
  for (const name of ['list offers reply']) {
    const offers = listOf(parseJson(bytesOf(of(name))), 10, item => readOffer(item, 10))
    t.equal(hexOf(encodeJson(offers.map(offerJson))), of(name))
  }
  t.equal(hexOf(encodeJson(offerJson(readOffer(parseJson(bytesOf(of('listen offers item'))), 10)))), of('listen offers item'))
  t.equal(hexOf(encodeJson(statusJson(readStatus(parseJson(bytesOf(of('listen status item'))))))), of('listen status item'))
  t.equal(hexOf(encodeJson('\0\x01\b\t\n\f\r\x1f"\\/<>&\x7fé\u2028\u2029\u{1f600}\ud800')), of('JSON string escapes'))
})

t.test('malformed values: each has its code', async t => {
  const table: Array<[string, unknown, string]> = [
    ['negative size', [{ Size: -1 }], 'ERR_BAD_VALUE'], ['fraction', [{ Size: 1.5 }], 'ERR_BAD_VALUE'], ['2^53', [{ Size: 2 ** 53 }], 'ERR_BAD_VALUE'],
    ['perm out of range', [{ Perm: 2 ** 32 }], 'ERR_BAD_VALUE'], ['size as text', [{ Size: '1' }], 'ERR_BAD_JSON'], ['a number as name', [{ Uri: 1 }], 'ERR_BAD_JSON'],
    ['no object', [1], 'ERR_BAD_JSON'], ['no array', {}, 'ERR_BAD_JSON'], ['hash', [{ Sha256: 'x' }], 'ERR_BAD_VALUE'], ['too many', [{}, {}, {}], 'ERR_TOO_MANY']
  ]
  for (const [name, value, code] of table) t.throws(() => listOf(value, 2, readInfo), { code }, name)
  t.throws(() => parseJson(bytesOf('5b')), { code: 'ERR_BAD_JSON' })
  t.throws(() => readStatus({ Status: 'lost' }), { code: 'ERR_BAD_VALUE' })
  t.same(listOf([{ URI: 'a', unknown: 1 }, {}], 2, readInfo).map(({ uri }) => uri), ['a', ''], 'keys in any case, missing ones empty')
  const cut = (profile: Profile, port: string, hex: string, code: string): void => { t.throws(() => new CommandCutter(profile, port).cut(bytesOf(hex), 0), { code }, hex) }
  cut(PROFILES['go-838779e'], 'warpdrive', '42', 'ERR_UNKNOWN_COMMAND')
  cut(PROFILES.seed, 'warpdrive-info', '02', 'ERR_UNKNOWN_COMMAND')
  cut(PROFILES['go-838779e'], 'warpdrive', '075b2278225d', 'ERR_BAD_JSON')
  cut(PROFILES['go-838779e'], 'warpdrive', '075d', 'ERR_BAD_JSON')
  cut(PROFILES['go-838779e'], 'warpdrive', `07${'5b'.repeat(17)}`, 'ERR_TOO_DEEP')
  t.throws(() => new CommandCutter(PROFILES.seed, 'warpdrive'), TypeError)
})

t.test('every recorded session is described, at once and byte by byte; what the original ignores is an error', async t => {
  const strange = ['unauthorized-local-commands', 'unknown-command-remote']
  for (const capture of CAPTURES) {
    const bytes = bytesOf(side(capture, 'c2s'))
    const describe = (): SessionDescriber => new SessionDescriber(PROFILES[capture.profile], capture.port)
    if (capture.name === strange[1]) {
      t.throws(() => describe().push(bytes), { code: 'ERR_UNKNOWN_COMMAND' })
      continue
    }
    const once = describe()
    const found = once.push(bytes)
    once.end()
    const slow = describe()
    t.same(Array.from(bytes, byte => slow.push(Uint8Array.of(byte))).flat(), found, capture.name)
    for (const { start, end } of found) t.ok(start < end && end <= bytes.length, capture.name)
    for (let i = 1; i < found.length; i++) t.ok((found[i] as { start: number }).start >= (found[i - 1] as { end: number }).end, capture.name)
  }
})
