import fc from 'fast-check'
import { isAbsolute, join, posix, win32 } from 'node:path'
import t from 'tap'
import { escapeName, normaliseName } from '../src/index.ts'
import { collisionKey, numberedName } from '../src/name.ts'
import { ACCEPTED, REFUSED } from './names.ts'

t.test('P1: says of each bad name which rule it breaks, and where', async t => {
  for (const [name, rule, position] of REFUSED) {
    t.throws(() => normaliseName(name), { code: 'ERR_NAME', rule, position, remote: true }, escapeName(name, 40))
  }
})

t.test('P1: lets through what merely looks bad', async t => {
  for (const [name, normal] of ACCEPTED) t.equal(normaliseName(name), normal, escapeName(name, 40))
})

t.test('P9: nothing is decoded, and what comes out is checked: it passes again unchanged', async t => {
  t.equal(normaliseName('%2e%2e/%2fetc'), '%2e%2e/%2fetc')
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), name => {
    let normal
    try {
      normal = normaliseName(name)
    } catch (error) {
      return (error as { code?: string }).code === 'ERR_NAME'
    }
    return normaliseName(normal) === normal && normal === normal.normalize('NFC')
  }))
})

t.test('P1: no name that passes leaves the root, by the rules of either system', async () => {
  const unit = fc.constantFrom('.', '..', '/', '\\', ':', 'c', 'a', ' ', '\0', '~', '%2e', '\u2025', '\uff0e')
  fc.assert(fc.property(fc.array(unit, { maxLength: 12 }), units => {
    let normal
    try {
      normal = normaliseName(units.join(''))
    } catch {
      return true
    }
    return !isAbsolute(normal) &&
      posix.resolve('/root', normal).startsWith('/root/') &&
      win32.resolve('d:\\root', normal).startsWith('d:\\root\\') &&
      posix.normalize(normal) === normal
  }), { numRuns: 2000 })
})

t.test('on request, also refuses what only Windows refuses', async t => {
  for (const character of '<>:"|?*') {
    t.equal(normaliseName(`ab${character}`), `ab${character}`)
    t.throws(() => normaliseName(`ab${character}`, { portable: true }), { code: 'ERR_NAME', rule: 'character', position: 2 })
  }
})

t.test('what is no string is the caller’s mistake', async t => {
  for (const name of [undefined, null, 1, {}, ['a']]) t.throws(() => normaliseName(name as string), { name: 'TypeError' })
})

t.test('D1: the message does not carry the name raw', async t => {
  t.throws(() => normaliseName('\x1b]0;owned\x07'), { message: /^name "\\x1b\]0;owned\\x07" breaks the rule control at 0$/ })
})

t.test('a number goes before the extension, and the name stays within its limit', async t => {
  t.equal(numberedName('report.pdf', 1), 'report (1).pdf')
  t.equal(numberedName('a.b/report', 2), 'a.b/report (2)')
  t.equal(numberedName('.bashrc', 3), '.bashrc (3)')
  t.equal(numberedName('archive.tar.gz', 4), 'archive.tar (4).gz')
  for (const name of ['a'.repeat(255), `${'é'.repeat(125)}.txt`, '\u{1f9f5}'.repeat(63)]) {
    const numbered = numberedName(name, 1000)
    t.ok(Buffer.byteLength(numbered) <= 255)
    t.equal(normaliseName(numbered), numbered)
  }
  t.ok(join('x', numberedName('y/z', 1)).startsWith(join('x', 'y')))
})

t.test('P10: names collide where case, width or composition do not count', async t => {
  for (const [a, b] of [['README', 'readme'], ['\u00e9', 'e\u0301'], ['\uff21', 'a'], ['Straße', 'STRASSE']] as const) t.equal(collisionKey(a), collisionKey(b), a)
  for (const [a, b] of [['a', 'b'], ['a', 'á'], ['a b', 'ab']] as const) t.not(collisionKey(a), collisionKey(b), a)
})
