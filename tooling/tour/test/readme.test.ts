import t from 'tap'
import { isLike, stepsOf } from '../src/readme.ts'

t.test('commands are taken as they stand, with what they print', async t => {
  const readme = '# A\n```sh tour 1\nserve   # goes on\n# at …:7740\n```\ntext\n```sh\nrm -rf\n```\n```sh tour 2\nput a \\\n  b\n# one\n# two\n\nget\n```\n'
  t.same(stepsOf(readme), [
    { terminal: '1', command: 'serve   # goes on', prints: ['at …:7740'] },
    { terminal: '2', command: 'put a \\\n  b', prints: ['one', 'two'] },
    { terminal: '2', command: 'get', prints: [] }
  ])
})

t.test('only an ellipsis stands for anything', async t => {
  t.ok(isLike('mdsftp+tls://127.0.0.1:7740#sha256=00ff', 'mdsftp+tls://127.0.0.1:7740#sha256=…'))
  t.notOk(isLike('mdsftp+tls://127a0.0.1:7740#sha256=00ff', 'mdsftp+tls://127.0.0.1:7740#sha256=…'))
  t.notOk(isLike('x one', 'one'))
})
