import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { describeBuild } from '../src/version.ts'
import { say } from './command-tree.ts'

const folder = await mkdtemp(join(tmpdir(), 'ropewalk-shell-'))
t.teardown(async () => { await rm(folder, { recursive: true, force: true }) })

/** Where the machine does not have a program, that is said, and its test has nothing to say. */
function has (program: string): boolean {
  const there = spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
  if (!there) t.comment(`NOT TRIED: this machine has no ${program}`)
  return there
}

/** What somebody has typed, and what must, and must not, be among the answers. */
const TYPED: ReadonlyArray<readonly [line: string, wanted: readonly string[], unwanted: readonly string[]]> = [
  ['ropewalk pu', ['put'], ['peers', 'get']],
  ['ropewalk casync m', ['make', 'mtree'], ['pull']],
  ['ropewalk put --conc', ['--concurrency'], ['--to']],
  ['ropewalk casync make --compression ', ['zstd', 'gzip'], ['a-file.bin']],
  ['ropewalk completion ', ['bash', 'zsh', 'fish'], ['a-file.bin']],
  ['ropewalk ping ', [], ['a-file.bin', 'put']]
]

t.before(async () => {
  await writeFile(join(folder, 'a-file.bin'), '')
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await say(['completion', shell])
    t.equal(code, 0)
    await writeFile(join(folder, shell), stdout)
  }
})

if (has('bash')) {
  t.test('bash completes commands, options, words and files', async t => {
    const script = `
      source '${folder}/bash'
      while IFS= read -r line; do
        read -ra COMP_WORDS <<< "$line"
        [[ $line == *' ' ]] && COMP_WORDS+=('')
        COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 )) COMPREPLY=()
        _ropewalk
        echo "\${COMPREPLY[*]}"
      done`
    const answers = shell(t, 'bash', ['--norc', '-c', script], TYPED.map(([line]) => `${line}\n`).join('')).split('\n')
    for (const [index, [line, wanted, unwanted]] of TYPED.entries()) check(t, line, answers[index]?.split(' ') ?? [], wanted, unwanted)
    // Readline answers with files where the function answers with nothing: -o default says so, and compopt that it shall not.
    const asked = shell(t, 'bash', ['--norc', '-c', `source '${folder}/bash'; compopt () { echo "$@"; }; COMP_WORDS=(ropewalk put '') COMP_CWORD=2; _ropewalk; COMP_WORDS=(ropewalk ping ''); _ropewalk; complete -p ropewalk`])
    t.equal(asked, '+o default\ncomplete -o default -F _ropewalk ropewalk\n')
  })
}

if (has('fish')) {
  t.test('fish completes commands, options, words and files', async t => {
    for (const [line, wanted, unwanted] of [...TYPED, ['ropewalk put a-', ['a-file.bin'], ['put']], ['ropewalk get -o a-', ['a-file.bin'], []]] as typeof TYPED) {
      const answer = shell(t, 'fish', ['--no-config', '-c', `source '${folder}/fish'; cd '${folder}'; complete -C '${line}'`])
      check(t, line, answer.split('\n').map(line => line.split('\t')[0] as string), wanted, unwanted)
    }
  })
}

if (has('zsh')) {
  t.test('zsh completes commands, options, words and files', async t => {
    const lines = [...TYPED, ['ropewalk put a-', ['a-file.bin'], ['put']] as const]
    const told = shell(t, 'zsh', ['-f', fileURLToPath(new URL('complete.zsh', import.meta.url)), folder, ...lines.map(([line]) => line)])
    const answers = Array.from(told.matchAll(/TYPED (.*?) FOUND (.*?) DNUOF/g), ([, typed, words = '']) => ({ typed, words: words.split(' ') }))
    for (const [line, wanted, unwanted] of lines) check(t, line, answers.filter(({ typed }) => typed === line).flatMap(({ words }) => words), wanted, unwanted)
  })
}

t.test('there is a manual page for every command, and nothing in it that roff does not know', async t => {
  const { code, stdout } = await say(['man', '-o', join(folder, 'man')])
  t.equal(code, 0)
  const pages = (await readdir(join(folder, 'man'))).sort()
  t.equal(pages.length, stdout.trimEnd().split('\n').length)
  for (const name of ['ropewalk.1', 'ropewalk-serve.1', 'ropewalk-casync-make.1', 'ropewalk-man.1']) t.ok(pages.includes(name), name)
  for (const name of pages) t.match(await readFile(join(folder, 'man', name), 'utf8'), /^\.SH NAME\nropewalk\S* \\- [^]*^\.SH EXAMPLES\n[^]*^\.SH EXIT STATUS\n/m, name)

  const paths = pages.map(name => join(folder, 'man', name))
  if (has('groff')) for (const path of paths) t.same(spawnSync('groff', ['-man', '-ww', '-z', '-Tutf8', path], { encoding: 'utf8' }).stderr, '', path)
  if (has('mandoc')) {
    const { stdout } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', ...paths], { encoding: 'utf8' })
    // A page is of the version that it names, and not of a day.
    t.same(stdout.split('\n').filter(line => line !== '' && !line.includes('missing date')), [])
  }
  if (has('man')) {
    const shown = shell(t, 'man', ['-l', join(folder, 'man/ropewalk-put.1')], undefined, { MANWIDTH: '80', MANPAGER: 'cat', PAGER: 'cat' }).replace(/.\x08/g, '')
    t.match(shown, /ropewalk-put - store files/)
    t.match(shown, /--durable/)
    for (const line of (shown.split('EXAMPLES')[0] as string).split('\n')) t.ok(line.length <= 80, line)
  }
})

t.test('a page is printed by the words of its command; other words are wrong usage', async t => {
  t.match(await say(['man', 'casync', 'make']), { code: 0, stdout: /^\.TH ROPEWALK\\-CASYNC\\-MAKE 1 / })
  t.match(await say(['man', 'casync', 'mkae']), { code: 2, stderr: /no such command \(ERR_USAGE\)\n {2}casync mkae/ })
})

t.test('the version says from which commit it was built, or that nobody knows', async t => {
  t.match(await say(['--version']), { code: 0, stdout: /^\d+\.\d+\.\d+ \(commit (not known|[\da-f]{12}(, with changes)?)\)\n$/ })
  t.match(describeBuild({ commit: 'fa0de6299c1e', changed: false }), / \(commit fa0de6299c1e\)$/)
  t.match(describeBuild({ commit: 'fa0de6299c1e', changed: true }), / \(commit fa0de6299c1e, with changes\)$/)
  t.match(describeBuild(undefined), / \(commit not known\)$/)
})

if (has('systemd-analyze')) {
  t.test('the unit for systemd is understood, and leaves little to whoever would break in', async t => {
    const unit = join(folder, 'ropewalk.service')
    const text = await readFile(new URL('../systemd/ropewalk.service', import.meta.url), 'utf8')
    // The program must be there for verify; here it is somewhere else.
    await writeFile(unit, text.replace('/usr/bin/ropewalk', process.execPath).replace(/^Documentation=.*\n/m, ''))
    const verified = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' })
    t.equal(verified.status, 0, verified.stderr)
    t.notMatch(verified.stderr, /ropewalk\.service/)
    // Of 100: what can be had without MemoryDenyWriteExecute, with a network.
    const secure = spawnSync('systemd-analyze', ['security', '--offline=yes', '--threshold=20', unit], { encoding: 'utf8' })
    t.equal(secure.status, 0, `${secure.stdout}${secure.stderr}`)
  })
}

function shell (t: Test, program: string, args: readonly string[], input?: string, env: NodeJS.ProcessEnv = {}): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, encoding: 'utf8', cwd: folder, timeout: 60_000, env: { PATH: process.env['PATH'], HOME: folder, TERM: 'xterm', LC_ALL: 'C.UTF-8', ...env } })
  t.equal(status, 0, `${program}: ${stderr}${String(error ?? '')}`)
  return stdout
}

function check (t: Test, line: string, answers: readonly string[], wanted: readonly string[], unwanted: readonly string[]): void {
  for (const word of wanted) t.ok(answers.includes(word), `${line}: ${word} in ${answers.join(' ')}`)
  for (const word of unwanted) t.notOk(answers.includes(word), `${line}: no ${word}`)
}
