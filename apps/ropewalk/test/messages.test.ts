/** What is said of a mistake: at a terminal within its width, broken between words; elsewhere a line as it stands. */
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Context } from '../src/context.ts'
import { RopewalkError } from '../src/errors.ts'
import { commandTree } from '../src/program.ts'
import { shapesOf } from '../src/shell/shape.ts'
import { widthOf } from '../src/width.ts'
import { say, type SayOptions } from './command-tree.ts'
import { HereNode } from './node.ts'
import { folder } from './processes.ts'

const ID = '0'.repeat(32)
const SHA = 'ab'.repeat(32)

/** These need a machine that is full, another one that offers, a wire that breaks, or minutes: what they say is printed by the same few lines. */
const NOT_HERE = new Set(['ERR_FILE_CHANGED', 'ERR_INCOMPLETE', 'ERR_NO_ROOM', 'ERR_UNAVAILABLE', 'ERR_REFUSED', 'ERR_STOPPED', 'ERR_NO_CODE', 'ERR_TIMEOUT', 'ERR_SYMLINK', 'ERR_WITHDRAWN'])

/** A command line that cannot work, the code of its error or what is said of an option, and what is on standard input. */
type Mistake = readonly [args: readonly string[], code: string, input?: string]

const state = await folder(t)
const at = (name: string): string => join(state, name)
await mkdir(at('empty'))
await mkdir(at('store/of/chunks'), { recursive: true })
for (const [name, text] of [
  ['some.txt', 'some text\n'], ['open.pem', 'nothing'], ['bad.toml', 'listen = 5\n'], ['odd.toml', 'lisen = []\n'], ['broken.toml', 'listen = [\n'], ['bad.manifest', '{"ropewalk":'],
  ['token', 'x'], ['peers.txt', '127.0.0.1 7001\n'], ['twice.txt', '127.0.0.1 7001\n127.0.0.1 7001\n'], ['bad.caibx', 'no index at all'], ['seed.bin', 'xyz']
] as const) await writeFile(at(name), text, { mode: 0o644 })
await writeFile(at('key'), `${SHA}\n`, { mode: 0o600 })

const node = new HereNode(t, ['--listen', 'mdsftp+tls://127.0.0.1:0', '--web', '127.0.0.1:0'], at('node'))
const address = String((await node.fact('listening', ({ address }) => /^mdsftp/.test(String(address)))).address)
const page = String((await node.fact('listening', ({ address }) => /^http/.test(String(address)))).address)
const put = await say(['put', at('some.txt'), '--to', address], { ROPEWALK_STATE: state })
const id = put.stdout.split('\t')[0] as string
const other = address.replace(/.$/, last => last === '0' ? '1' : '0')

const MISTAKES: readonly Mistake[] = [
  [['get', 'nonsense'], 'ERR_BAD_ID'],
  [['get', `${ID}zz`, '-o', '-'], 'ERR_BAD_ID'],
  [['put'], 'ERR_USAGE'],
  [['put', '-', '-'], 'ERR_USAGE'],
  [['put', '-', '--durable'], 'ERR_USAGE'],
  [['put', at('some.txt'), '--to', 'mdsftp+tcp://10.1.2.3'], 'ERR_USAGE'],
  [['put', at('some.txt'), '--to', `${address},${address}`], 'ERR_USAGE'],
  [['put', at('some.txt'), '--concurrency', '1000'], 'is invalid'],
  [['put', '-', '--to', address, '--spool-limit', '1'], 'ERR_SPOOL_LIMIT', 'more than one byte'],
  [['put', '--resume', at('some.txt')], 'ERR_JOURNAL'],
  [['put', at('nowhere'), '--to', address], 'ERR_FILE'],
  [['put', at('empty'), '--to', address], 'ERR_NOT_A_FILE'],
  [['put', at('some.txt'), '--to', address, '--token-file', at('open.pem')], 'ERR_CREDENTIALS'],
  [['get', '--range', '5-1', ID], 'is invalid'],
  [['get', '--range', 'all', ID], 'is invalid'],
  [['get', ID, ID, '-o', '-'], 'ERR_USAGE'],
  [['get', ID, ID, '-o', at('some.txt')], 'ERR_USAGE'],
  [['get', ID, '--expect', 'abc'], 'is invalid'],
  [['get', ID, '--resume', '-o', '-', '--from', address], 'ERR_USAGE'],
  [['get', ID, '--from', 'nonsense'], 'ERR_ADDRESS'],
  [['get', ID, '--from', 'mdsftp+tls://127.0.0.1:99999'], 'ERR_ADDRESS'],
  [['get', ID, '--from', 'mdsftp+tls://127.0.0.1:1'], 'ERR_UNREACHABLE'],
  [['get', ID, '--from', `mdsftp+unix:${at('no.sock')}`], 'ERR_UNREACHABLE'],
  [['get', ID, '--from', other], 'ERR_UNTRUSTED'],
  [['get', ID, '--from', address.replace(/#.*/, '')], 'ERR_UNTRUSTED'],
  [['get', ID, '--from', address], 'ERR_NOT_FOUND'],
  [['get', ID, '--from', address, '-o', at('nowhere/at/all/x')], 'ERR_FILE'],
  [['get', id, '--from', address, '-o', at('some.txt')], 'ERR_EXISTS'],
  [['get', id, '--from', address, '-o', at('new.txt'), '--range', '99-'], 'ERR_RANGE'],
  [['get', id, '--from', address, '-o', at('new.txt'), '--expect', SHA], 'ERR_DIGEST'],
  [['get', at('bad.manifest'), '-o', at('new.txt')], 'ERR_MANIFEST'],
  [['stat', ID, '--at', address], 'ERR_NOT_FOUND'],
  [['withdraw', 'nothing', '--no-discover'], 'ERR_NOT_FOUND'],
  [['forget', 'nobody', '--no-discover'], 'ERR_NOT_FOUND'],
  [['rm', ID, '--at', address], 'ERR_NOT_FOUND'],
  [['verify', ID], 'ERR_USAGE'],
  [['verify', `${id}=${SHA}`, '--at', address], 'ERR_DAMAGED'],
  [['verify'], 'ERR_USAGE'],
  [['verify', '--store', at('empty')], 'ERR_STATE'],
  [['serve', 'some', 'words'], 'ERR_USAGE'],
  [['serve', '--listen', 'mdsftp+tls://0.0.0.0:7740'], 'ERR_USAGE'],
  [['serve', '--listen', 'mdsftp+tcp://0.0.0.0:7740'], 'ERR_USAGE'],
  [['serve', '--listen', address], 'ERR_ADDRESS'],
  [['serve', '--web', '0.0.0.0:7780'], 'ERR_USAGE'],
  [['serve', '--web', '0.0.0.0:7780', '--web-token-file', at('key')], 'ERR_USAGE'],
  [['serve', '--web', 'nonsense:'], 'ERR_ADDRESS'],
  [['serve', '--listen', 'mdsftp+tls://127.0.0.1:0', '--web', new URL(page).host], 'ERR_LISTEN'],
  [['serve', '--ipc', `unix:${at('u.sock')}`], 'ERR_USAGE'],
  [['serve', '--ipc', 'yamux+tls://127.0.0.1:0', '--ipc-key', at('key')], 'ERR_USAGE'],
  [['serve', '--auto-accept'], 'ERR_USAGE'],
  [['serve', '--cert', at('open.pem')], 'ERR_USAGE'],
  [['serve', '--config', at('bad.toml')], 'ERR_CONFIG'],
  [['config', 'show', '--config', at('odd.toml')], 'ERR_CONFIG'],
  [['config', 'show', '--config', at('broken.toml')], 'ERR_CONFIG'],
  [['config', 'show', '--config', at('nowhere.toml')], 'ERR_CONFIG'],
  [['serve', '--listen', 'casync+stdio:'], 'ERR_USAGE'],
  [['serve', '--chunks', at('nowhere'), '--listen', `yamux+unix:${at('y.sock')}`], 'ERR_FILE'],
  [['upload', at('some.txt'), '--to', `unix:${at('no.sock')}`, '--token', at('token')], 'ERR_KEY'],
  [['upload', at('some.txt'), '--to', 'nonsense', '--token', at('token')], 'ERR_ADDRESS'],
  [['upload', at('some.txt'), '--to', 'yamux+tcp://10.1.2.3', '--token', at('token')], 'ERR_USAGE'],
  [['download', SHA, '--from', `unix:${at('no.sock')}`, '--token', at('nowhere')], 'ERR_KEY'],
  [['token', 'issue', '--user', 'ada', '--ttl', '1h', '--key', at('key')], 'ERR_USAGE'],
  [['token', 'issue', '--user', 'ada:1', '--ttl', 'soon', '--key', at('key')], 'is invalid'],
  [['token', 'issue', '--user', 'ada:1', '--ttl', '1h', '--key', at('key'), '-o', at('some.txt')], 'ERR_EXISTS'],
  [['ca', 'issue', 'nas', '--san', 'nas.example', '--dir', at('empty')], 'ERR_CREDENTIALS'],
  [['ca', 'issue', '../nas', '--san', 'nas.example', '--dir', at('empty')], 'ERR_USAGE'],
  [['send', 'laptop'], 'ERR_USAGE'],
  [['send', at('some.txt'), 'laptop'], 'ERR_UNREACHABLE'],
  [['status'], 'ERR_UNREACHABLE'],
  [['why', 'nothing-1'], 'ERR_NOT_FOUND'],
  [['retry', 'nothing'], 'ERR_'],
  [['revoke', 'nothing'], 'ERR_NOT_FOUND'],
  [['grant', 'nobody'], 'ERR_NOT_FOUND'],
  [['swarm', 'query'], 'ERR_UNREACHABLE'],
  [['swarm', 'insert', at('some.txt'), at('seed.bin'), '--name', 'x'], 'ERR_USAGE'],
  [['swarm', 'join', '--peers', at('peers.txt'), '--dir', at('empty'), '--as', '127.0.0.1:7009'], 'ERR_USAGE'],
  [['swarm', 'join', '--peers', at('twice.txt'), '--dir', at('empty')], 'ERR_'],
  [['swarm', 'join', '--peers', at('nowhere.txt'), '--dir', at('empty')], 'ERR_'],
  [['swarm', 'join', '--peers', at('peers.txt'), '--dir', at('empty'), '--as', '127.0.0.1:7001', '--key', at('token')], 'ERR_KEY'],
  [['casync', 'make', at('x.caibx'), at('nowhere')], 'ERR_'],
  [['casync', 'extract', at('bad.caibx'), at('x')], 'ERR_'],
  [['casync', 'extract', at('bad.caibx')], 'ERR_'],
  [['casync', 'pull', at('bad.caibx'), at('x')], 'ERR_'],
  [['casync', 'push', at('bad.caibx'), at('x')], 'ERR_USAGE'],
  [['casync', 'verify', at('some.txt')], 'ERR_'],
  [['casync', 'stat', at('some.txt')], 'ERR_'],
  [['casync', 'gc', at('empty')], 'ERR_NOT_FOUND'],
  [['casync', 'diff', at('empty'), at('some.txt')], 'ERR_'],
  [['inspect', 'nothing'], 'ERR_USAGE'],
  [['inspect', 'mdsftp', '--profile', 'none'], 'ERR_USAGE'],
  [['inspect', 'mdsftp', at('nowhere')], 'ERR_'],
  [['man', 'nothing'], 'ERR_']
]

for (const [args, code, input] of MISTAKES) {
  t.test(`${code}: ${args.map(word => word.replace(state, '').slice(0, 30)).join(' ')}`, async t => {
    // No live picture: it would stand among the words.
    const [env, options] = [{ ROPEWALK_STATE: state, TERM: 'dumb' }, { input: input ?? '', now: () => 0 }]
    const plain = await say(args, env, options)
    t.not(plain.code, 0)
    t.match(plain.stderr, code)
    await t.test('at a terminal', async t => { await fits(t, args, plain.stderr, env, options) })
  })
}

t.test('an option that there is not, of every command', async t => {
  for (const { words } of shapesOf(commandTree({ stdout: process.stdout, stderr: process.stderr } as unknown as Context, () => {}))) {
    const args = [...words, '--an-option-that-there-is-not-of-such-a-length']
    await fits(t, args, (await say(args, { ROPEWALK_STATE: state })).stderr, { ROPEWALK_STATE: state, TERM: 'dumb' })
  }
})

t.test('Ctrl-C, and each code that errors of the command line have, are among them', async t => {
  const stopped = AbortSignal.abort(new RopewalkError('ERR_USER_INTERRUPT', 'interrupted'))
  t.match(await say(['get', ID, '--from', address], { ROPEWALK_STATE: state }, { signal: stopped }), { code: 130, stderr: 'ropewalk: interrupted\n' })
  const codes = (await readFile(new URL('../src/errors.ts', import.meta.url), 'utf8')).matchAll(/^ {2}\| '(ERR_\w+)'/gm)
  for (const [, code = ''] of codes) t.ok(NOT_HERE.has(code) || code === 'ERR_USER_INTERRUPT' || MISTAKES.some(([, known]) => known === code), code)
})

t.test('a folder that is not there is named, and not the file that was tried in it', async t => {
  t.match(await say(['casync', 'make', at('nowhere/x.caibx'), at('some.txt')], { ROPEWALK_STATE: state }), { code: 1, stderr: /no such file or directory \(ERR_FILE\)\n {2}\S+\/nowhere\n$/ })
})

t.test('a terminal gets lines where elsewhere is one', async t => {
  const { stderr } = await say(['put'], { ROPEWALK_STATE: state }, { tty: true, columns: 50 })
  t.equal(stderr, '\rropewalk: name a file; or say --resume to go on\n  with what was interrupted (ERR_USAGE)\n')
})

t.test('words of the other end do nothing in a terminal', async t => {
  const server = createServer(socket => {
    socket.on('error', () => {}).once('data', () => { socket.end('HTTP/1.1 403 no\x1b]0;title\x07 \x9b31m red\r\n\r\n', 'latin1') })
  }).listen(0, '127.0.0.1')
  t.teardown(() => { server.close() })
  await once(server, 'listening')
  const there = `yamux+ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const words of [['stat', ID, '--at', there], ['casync', 'pull', `${there}::a.caibx`, at('empty')], ['doctor', there]]) {
    const { stdout, stderr } = await say(words, { ROPEWALK_STATE: state, TERM: 'dumb' }, { tty: true })
    t.match(stdout + stderr, /no\\\\?x1b\]0;title/, `${words[0] ?? ''} says it`)
    t.notMatch(stdout + stderr, /[^\n\r\P{Cc}]/u)
  }
})

/** Whether what `plain` says is said at terminals of 80 and of 50 columns too, and nothing over their edge but what is one word. */
async function fits (t: Test, args: readonly string[], plain: string, env: NodeJS.ProcessEnv, options: SayOptions = {}): Promise<void> {
  for (const columns of [80, 50]) {
    const { stderr } = await say(args, env, { ...options, tty: true, columns })
    for (const line of stderr.replaceAll('\r', '').split('\n')) t.ok(widthOf(line) <= columns || hasOneTooLong(line, columns), `${columns}: ${line}`)
    t.same(wordsOf(stderr), wordsOf(plain), `${columns} columns: the same words`)
  }
}

function hasOneTooLong (line: string, columns: number): boolean {
  return line.split(' ').some(word => widthOf(word) > columns - 4)
}

/** Marks under a text are left out where they could not stand right. */
function wordsOf (text: string): string[] {
  return text.split(/\s+/).filter(word => word !== '' && word !== '^')
}
