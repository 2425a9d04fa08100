/** The configuration of a node: where values come from, and what is said of those that cannot be used. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { parseConfig } from '../src/config/file.ts'
import { flagSettings, resolveConfig, settingFlags } from '../src/config/resolve.ts'
import { SETTINGS, variableOf } from '../src/config/settings.ts'
import type { RopewalkError } from '../src/errors.ts'
import { parseRate, rateAt } from '../src/limits/rate.ts'
import { here as runHere, HereNode, type Said } from './node.ts'
import { folder } from './processes.ts'
import { settingsTable } from './settings-table.ts'

const here = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Said> => runHere(args, '/nowhere', { env })

t.test('whatever is wrong is told with file, line, key, and what was expected', async t => {
  const wrong: ReadonlyArray<readonly [string, RegExp]> = [
    ['listen = "one"', /^n\.toml:1: listen: expected a list of texts, .* and found "one"$/],
    ['\n# words\n[storage]\ncapacity = "lots"', /^n\.toml:4: storage\.capacity: expected a number of bytes, or a size as "20G", and found "lots"$/],
    ['[limits]\nup = "08:00,512k 07:00,off"', /^n\.toml:2: limits\.up: expected bytes a second .*timetable/],
    ['[limits]\nconnections = 0', /^n\.toml:2: limits\.connections: expected a whole number from 1 to 65536, and found 0$/],
    ['storage.profile = "new"', /^n\.toml:1: storage\.profile: expected "upstream" or "seed" or "seed-code", and found "new"$/],
    ...['5', '0s', '2d'].map(time => [`peers.reply_timeout = "${time}"`, new RegExp(`^n\\.toml:1: peers\\.reply_timeout: expected a time up to a day, .*, and found "${time}"$`)] as const),
    ['allow = [\n  "sha256=12",\n]', /^n\.toml:1: allow: expected a list of keys/],
    ['peers.inbox = """\nx"""\n[peers]\n', /^n\.toml:\d+: expected TOML/],
    ['listen = [\n"a"\n]\n[storage]\ncapacity = 1\ncapacity = 2', /^n\.toml:6: expected TOML: /],
    ['\n[storage]\ncapacitance = 5', /^n\.toml:3: storage\.capacitance: expected a setting, and found one that there is not, with 5$/],
    ['[[storage]]\ncapacity = 5', /^n\.toml:1: storage: expected a setting/],
    ['__proto__.listen = 1', /^n\.toml:1: expected TOML/],
    [`listen = ["${'x'.repeat(70_000)}"]`, /^n\.toml: \d+ > 65536 bytes$/],
    ['\n'.repeat(2000), /^n\.toml: 2001 > 2000 lines$/]
  ]
  for (const [text, message] of wrong) t.throws(() => parseConfig(text, 'n.toml'), { code: 'ERR_CONFIG', message }, text.slice(0, 40))
  const advice = (text: string): unknown => {
    try {
      return parseConfig(text, 'n.toml')
    } catch (error) {
      return (error as RopewalkError).advice
    }
  }
  t.same(advice('[storage]\ncapacitty = 5'), ['Is storage.capacity meant?'])
  t.match(advice('[storage]\nwholly_other = 5'), [/^There are storage\.directory, storage\.capacity/])
})

t.test('values keep their lines, however the file is written, and paths begin where the file is', async t => {
  const values = parseConfig('listen = [ # where\n  "a",\n  "b"\n]\n\n[storage]\n"capacity" = "2K"\n\n[peers]\ninbox = "in"\n', '/etc/rope/n.toml')
  t.same([...values], [
    ['listen', { value: ['a', 'b'], line: 1 }],
    ['storage.capacity', { value: 2048, line: 7 }],
    ['peers.inbox', { value: '/etc/rope/in', line: 10 }]
  ])
})

t.test('a flag goes before the environment, that before the file, and the file before the default', async t => {
  const path = join(await folder(t), 'n.toml')
  await writeFile(path, 'listen = ["file"]\nallow_anyone = true\n[storage]\ncapacity = 1\n[audit]\nkeep = 5\n')
  const env = { ROPEWALK_CONFIG: path, ROPEWALK_STORAGE_CAPACITY: '2K', ROPEWALK_AUDIT_KEEP: '6', ROPEWALK_PEERS_DISCOVER: 'false', ROPEWALK_UPLOADS_LISTEN: 'a, b' }
  const found = await resolveConfig({ env, flags: flagSettings({ capacity: 7, tokenFile: undefined }) })
  const at = (key: string): unknown => [found.get(key), found.settings.get(key)?.from]
  t.same(at('storage.capacity'), [7, '--capacity'])
  t.same(at('audit.keep'), [6, 'ROPEWALK_AUDIT_KEEP'])
  t.same(at('allow_anyone'), [true, `${path}:2`])
  t.same(at('peers.discover'), [false, 'ROPEWALK_PEERS_DISCOVER'])
  t.same(at('uploads.listen'), [['a', 'b'], 'ROPEWALK_UPLOADS_LISTEN'])
  t.same(at('limits.up'), ['off', 'default'])
  t.match(settingFlags(found), { listen: ['file'], capacity: 7, allowAnyone: true, discover: false, ipc: ['a', 'b'] })
  await t.rejects(resolveConfig({ env: { ROPEWALK_AUDIT_KEEP: 'all' } }), { code: 'ERR_CONFIG', message: 'ROPEWALK_AUDIT_KEEP: audit.keep: expected a whole number from 0 to 1000, and found "all"' })
  await t.rejects(resolveConfig({ env: {}, file: join(path, 'none') }), { code: 'ERR_CONFIG', text: join(path, 'none') })
})

t.test('config show prints a file that says the same, and with --json where each value comes from', async t => {
  const path = join(await folder(t), 'n.toml')
  await writeFile(path, 'listen = ["mdsftp+tls://127.0.0.1:0"]\n[limits]\nup = "08:00,512k 19:00,off"\n')
  const shown = await here(['config', 'show', '--config', path], { ROPEWALK_STORAGE_CAPACITY: '2G' })
  t.equal(shown.code, 0, shown.stderr)
  t.match(shown.stdout, /^up = "08:00,512k 19:00,off" +# .*n\.toml:3$/m)
  t.match(shown.stdout, /^capacity = 2147483648 +# ROPEWALK_STORAGE_CAPACITY$/m)
  t.same([...parseConfig(shown.stdout, 'again').keys()], ['listen', 'storage.capacity', 'limits.up'])
  const records = (await here(['config', 'show', '--json'])).stdout.trim().split('\n').map(line => JSON.parse(line) as Record<string, unknown>)
  t.equal(records.length, SETTINGS.length)
  t.match(records.find(({ key }) => key === 'limits.up'), { event: 'setting', value: 'off', from: 'default', variable: 'ROPEWALK_LIMITS_UP', flag: null, reloads: true })
  t.match(await here(['config', 'show', '--cofnig', path]), { code: 2, stderr: /Did you mean --config/ })
  t.match(await here(['serve', '--config', path], { ROPEWALK_LIMITS_UP: 'fast' }), { code: 2, stderr: /^ropewalk: ROPEWALK_LIMITS_UP: limits\.up: expected .* \(ERR_CONFIG\)/ })
})

t.test('each setting is told apart from every other, and every flag is one of serve', async t => {
  t.equal(new Set(SETTINGS.map(variableOf)).size, SETTINGS.length)
  const { stdout } = await here(['serve', '--help'])
  for (const { flag } of SETTINGS) if (flag !== undefined) t.match(stdout, new RegExp(`^  ${flag}[ ,]`, 'm'))
})

t.test('a node that runs takes what may change at SIGHUP, says what may not, and keeps what it has when the file is wrong', async t => {
  const state = await folder(t)
  const path = join(state, 'n.toml')
  const file = (more: string): Promise<void> => writeFile(path, `listen = ["mdsftp+unix:${join(state, 'n.sock')}"]\n${more}\n`)
  await file('')
  const node = new HereNode(t, ['--config', path], state)
  await node.told('listening')
  await file('[limits]\nup = "1M"\n[storage]\ncapacity = "5G"')
  node.hangup()
  t.match(await node.told('reloaded'), [{ taken: ['limits.up'], at_next_start: ['storage.capacity'] }])
  await file('[limits]\nup = 1')
  node.hangup()
  t.match(await node.told('trouble'), [{ remote: 'configuration', code: 'ERR_CONFIG', message: /n\.toml:3: limits\.up: expected/ }])
  t.equal(await node.stop(), 0)
})

t.test('a timetable holds through the day, and yesterday\'s last until its first', async t => {
  const rate = parseRate('08:00,512k 19:00,off 23:30,2M')
  for (const [minute, bytes] of [[0, 2 * 1024 ** 2], [479, 2 * 1024 ** 2], [480, 524_288], [1139, 524_288], [1140, undefined], [1410, 2 * 1024 ** 2]] as const) t.equal(rateAt(rate, minute), bytes, String(minute))
  t.equal(rateAt(parseRate('off'), 7), undefined)
  for (const text of ['', 'fast', '512', '24:00,1M', '08:00', '08:00,1M 08:00,2M', '8:60,1M', '1M 2M']) t.throws(() => parseRate(text), { code: 'ERR_USAGE' }, text)
})

t.test('docs/configuration.md has every setting as it is, and its example can be read', async t => {
  const page = await readFile(new URL('../../../docs/configuration.md', import.meta.url), 'utf8')
  t.ok(page.includes(settingsTable()), 'write test/settings-table.ts into the page')
  const [, example = ''] = /```toml\n([^]*?)```/.exec(page) ?? []
  t.ok(parseConfig(example, 'node.toml').size > 8)
})
