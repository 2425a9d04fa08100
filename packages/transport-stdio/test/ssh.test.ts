import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { ssh, sshArguments } from '../src/index.ts'
import { child, textOf } from './processes.ts'

t.test('the arguments of ssh', async t => {
  t.same(sshArguments('me@example.org', ['ropewalk', 'serve', '--store', '/var/my store'], { Port: '2222', BatchMode: 'yes' }),
    ['-T', '-o', 'Port=2222', '-o', 'BatchMode=yes', '--', 'me@example.org', "ropewalk serve --store '/var/my store'"])
})

t.test('a host that could be an option, or that no host can be, is refused', async t => {
  for (const host of ['', '-oProxyCommand=x', '--', '-', 'me@-oProxyCommand=x', 'a b', 'a;b', 'a\nb', 'a\0b', '$(x)', 'a/b']) {
    t.throws(() => sshArguments(host, ['true']), { code: 'ERR_ADDRESS' }, JSON.stringify(host))
    await t.rejects(ssh(host, ['true'], { program: '/nowhere' }), { code: 'ERR_ADDRESS' })
  }
  for (const host of ['a', 'example.org', 'me@10.0.0.1', 'me@::1', 'fe80::1%eth0', 'my-host_2', 'münchen.example']) t.ok(sshArguments(host, ['true']), host)
})

t.test('what is no command or no setting is the caller\'s fault', async t => {
  t.throws(() => sshArguments('a', []), TypeError)
  t.throws(() => sshArguments('a', ['']), TypeError)
  t.throws(() => sshArguments('a', ['b\0']), TypeError)
  t.throws(() => sshArguments('a', ['b'], { 'Proxy Command': 'x' }), TypeError)
  t.throws(() => sshArguments('a', ['b'], { Port: '22\nProxyCommand x' }), TypeError)
})

t.test('each word reaches the program on the other side as it is, through a POSIX shell', async t => {
  const words = fc.array(fc.string({ unit: fc.constantFrom(...'ab -$`\'"\\;&|<>(){}[]*?~#!=%\n\tü') }), { minLength: 1, maxLength: 8 })
  await fc.assert(fc.asyncProperty(words, async words => {
    const line = sshArguments('a', ['printf', '%s\\0', ...words]).at(-1) as string
    const shell = await child(t, 'sh', ['-c', line])
    await shell.sink([])
    t.same((await textOf(shell)).split('\0').slice(0, -1), words)
  }), { numRuns: 20 })
})

t.test('ssh is a child like any other', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'rw-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  // Stands in for ssh: skips what comes before the host, and runs the command in a shell.
  const program = join(directory, 'ssh')
  writeFileSync(program, '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift 2; exec sh -c "$*"\n', { mode: 0o755 })

  const cat = await ssh('me@example.org', ['cat'], { program, settings: { BatchMode: 'yes' } })
  t.match(cat.remote.address, /^ssh me@example\.org \(process \d+\)$/)
  await cat.sink([new Uint8Array(100_000)])
  t.equal((await textOf(cat)).length, 100_000)

  const failing = await ssh('example.org', ['sh', '-c', 'echo no route >&2; exit 255'], { program })
  await t.rejects(textOf(failing), { code: 'ERR_EXITED', message: 'ssh example.org exited with code 255: no route' })
})
