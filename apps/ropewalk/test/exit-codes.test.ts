import t from 'tap'
import { exitFor, RopewalkError } from '../src/errors.ts'
import { Exit, EXIT_HELP, worst } from '../src/exit-codes.ts'

t.test('many outcomes give the code that matters most', async t => {
  t.equal(worst([]), Exit.done)
  t.equal(worst([Exit.notFound, Exit.notFound]), Exit.notFound)
  t.equal(worst([Exit.notFound, Exit.failed]), Exit.failed)
  t.equal(worst([Exit.failed, Exit.notFound, Exit.done]), Exit.failed)
})

t.test('every error has its code', async t => {
  const remote = Object.assign(new Error('gone'), { code: 'ERR_INTERRUPTED' })
  t.equal(exitFor(new RopewalkError('ERR_UNREACHABLE', '')), 3)
  t.equal(exitFor(new RopewalkError('ERR_UNTRUSTED', '')), 3)
  t.equal(exitFor(new RopewalkError('ERR_TIMEOUT', '')), 3)
  t.equal(exitFor(new RopewalkError('ERR_USAGE', '')), 2)
  t.equal(exitFor(new RopewalkError('ERR_NOT_FOUND', '')), 4)
  t.equal(exitFor(Object.assign(new Error(''), { code: 'ERR_NOT_FOUND' })), 4)
  t.equal(exitFor(new RopewalkError('ERR_USER_INTERRUPT', '')), 130)
  t.equal(exitFor(remote), 1, 'a peer that goes away is not Ctrl-C')
  t.equal(exitFor(Object.assign(new Error(''), { code: 'ERR_ADDRESS' })), 1, 'the same code from elsewhere says nothing')
  t.equal(exitFor(new Error('')), 1)
})

t.test('the help lists every code', async t => {
  for (const code of Object.values(Exit)) t.match(EXIT_HELP, new RegExp(`^  ${code} `, 'm'))
})
