/** An abort while the end of our direction is on its way: the system refuses a reset then, and the socket must be closed all the same. */
import t from 'tap'
import { createIdentity, dial, listen } from '../src/index.ts'

t.test('a connection over TLS that is aborted while it ends leaves no handle open', async t => {
  const listener = await listen({ transport: 'tls', host: '127.0.0.1', port: 0 }, { tls: { identity: await createIdentity() } })
  const accepted = listener[Symbol.asyncIterator]()
  for (let round = 0; round < 20; round++) {
    const [connection, { value: other }] = await Promise.all([dial(listener.address, { tls: { verify: () => true } }), accepted.next()])
    const sunk = connection.sink([new Uint8Array(100_000)]).catch(() => {})
    for (let turn = 0; turn < round % 10; turn++) await new Promise(setImmediate)
    connection.abort(new Error('enough'))
    await sunk
    other?.abort(new Error('enough'))
  }
  await listener.close()
  // Handles are closed in the turn after.
  for (let turn = 0; turn < 50 && open() > 0; turn++) await new Promise(setImmediate)
  t.equal(open(), 0)
})

function open (): number {
  return process.getActiveResourcesInfo().filter(name => name === 'TCPSocketWrap').length
}
