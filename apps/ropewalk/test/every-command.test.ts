import t from 'tap'
import type { Context } from '../src/context.ts'
import { commandTree } from '../src/program.ts'
import { shapesOf, type CommandShape } from '../src/shell/shape.ts'
import { say } from './command-tree.ts'
import { folder } from './processes.ts'

const EXITS = ['0', '1', '2', '3', '4', '130']

/** What knows nothing but NDJSON, and families, which only name their commands. */
const NO_JSON: ReadonlySet<string> = new Set(['inspect'])

/** What a command must be told before it looks at anything else. */
const MUST: Readonly<Record<string, readonly string[]>> = {
  upload: ['--to', 'unix:/x', '--token', 'x'], download: ['--from', 'unix:/x', '--token', 'x'], retry: ['--failed'], 'token issue': ['--user', 'ada:1', '--ttl', '1h', '--key', 'x'],
  'ca issue': ['--san', 'x'], 'swarm join': ['--peers', 'x', '--dir', 'x']
}

const ENV = { ROPEWALK_STATE: await folder(t) }

const shapes = shapesOf(commandTree({ stdout: process.stdout, stderr: process.stderr } as unknown as Context, () => {}))
t.ok(shapes.length > 40, `${shapes.length} commands`)

for (const shape of shapes) {
  const name = ['ropewalk', ...shape.words].join(' ')
  t.test(name, async t => {
    const help = await say([...shape.words, '--help'], ENV)
    t.equal(help.code, 0)
    t.equal(help.stderr, '')
    for (const line of help.stdout.split('\n')) if (!isExample(line, shape)) t.ok(line.length <= 80, `80 columns: ${line}`)
    t.notMatch(help.stdout, /\x1b/, 'nothing but text')
    const narrow = (await say([...shape.words, '--help'], ENV, { columns: 50 })).stdout
    t.same(narrow.split(/\s+/), help.stdout.split(/\s+/), 'the same words at 50 columns')
    t.same(narrow.split('\n').filter(line => line.length > 50 && !/^Usage: |\S{24}/.test(line)), [], 'broken between words')

    const commands = shape.examples.filter(line => !line.startsWith(' '))
    t.ok(commands.length >= 2, `two examples: ${commands.join('; ')}`)
    for (const line of commands) {
      t.match(line, /ropewalk/)
      if (shape.words.length > 0) t.match(line, new RegExp(`ropewalk(-casync)? ([^|]*\\b)?${shape.words.at(-1) ?? ''}\\b`), line)
    }
    for (const code of EXITS) t.match(help.stdout, new RegExp(`^  ${code} `, 'm'), `exit code ${code}`)
    t.same((await say(['help', ...shape.words].slice(0, 2), ENV)).code, 0)

    if (isFamily(shape)) return
    if (!NO_JSON.has(shape.words[0] ?? '')) t.ok(shape.options.some(({ long }) => long === '--json'), '--json')
    // A letter that is missing is answered with the option that was meant, and nothing is done.
    const { long = '--help' } = shape.options.find(({ long }) => long.length > 6) ?? {}
    const wrong = await say([...shape.words, ...MUST[shape.words.join(' ')] ?? [], `${long.slice(0, -2)}${long.at(-1) ?? ''}`], ENV)
    t.equal(wrong.code, 2)
    t.equal(wrong.stdout, '')
    t.match(wrong.stderr, new RegExp(`^ropewalk: unknown option .*\\n\\(Did you mean (one of )?.*${long}`, 'm'))
  })
}

t.test('a wrong word is answered with the command that was meant', async t => {
  for (const [words, meant] of [[['pt'], 'put'], [['servr'], 'serve'], [['casync', 'mke'], 'make'], [['swarm', 'jion'], 'join'], [['compleiton'], 'completion']] as const) {
    t.match(await say(words, ENV), { code: 2, stdout: '', stderr: new RegExp(`Did you mean ${meant}\\?`) })
  }
})

t.test('with NO_COLOR, and into a pipe, there is nothing but text', async t => {
  for (const args of [['identity'], ['identity', '--json'], ['--help'], ['put', '/nowhere/at/all'], ['offers'], ['man', 'put'], ['swarm', 'query']]) {
    for (const [env, tty] of [[{ ...ENV, NO_COLOR: '1' }, true], [ENV, false]] as const) {
      const { stdout, stderr } = await say(args, env, { tty })
      t.notMatch(`${stdout}${stderr}`, /\x1b\[\d*m/, `${args.join(' ')} ${tty ? 'NO_COLOR' : 'pipe'}`)
    }
  }
})

t.test('a mistake is said once, on standard error, with its code, and with what to do', async t => {
  for (const [args, code, said] of [
    [['get', 'nonsense'], 2, /ERR_BAD_ID/], [['put', '/nowhere/at/all', '--to', 'mdsftp+tls://127.0.0.1:1'], 3, /ERR_UNREACHABLE|ERR_UNTRUSTED/], [['put'], 2, /name a file/], [['rm'], 2, /missing required argument/], [['get', '--range', '5-1', '0'.repeat(32)], 2, /range/],
    [['swarm', 'query'], 3, /"ropewalk swarm join/], [['inspect', 'nothing'], 2, /nothing/]
  ] as const) {
    const { code: exit, stdout, stderr } = await say(args, ENV)
    t.equal(exit, code, `${args.join(' ')}: ${stderr}`)
    t.equal(stdout, '', args.join(' '))
    t.match(stderr, said)
    t.match(stderr, /^ropewalk: |^\S+: /)
  }
})

function isFamily ({ children }: CommandShape): boolean {
  return children.length > 0
}

/** An example is copied: it is not broken into lines. */
function isExample (line: string, { examples }: CommandShape): boolean {
  return examples.includes(line.replace(/^ {2}/, ''))
}
