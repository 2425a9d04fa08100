import { EventEmitter, once } from 'node:events'
import multicastDns, { type MulticastDNS } from 'multicast-dns'
import t from 'tap'
import { Discovery, MAX_NEARBY, NEARBY_MS, SERVICE } from '../src/peers/discovery.ts'

const keyOf = (number: number): string => number.toString(16).padStart(64, '0')

/** A network of which everything is said by hand. */
class Said extends EventEmitter {
  readonly asked: unknown[] = []
  readonly told: Array<{ answers: object[] }> = []
  query (questions: unknown): void { this.asked.push(questions) }
  respond (packet: { answers: object[] }): void { this.told.push(packet) }
  destroy (done: () => void): void { done() }

  hear (from: string, port: number, texts: string[], name: string = `x.${SERVICE}`): void {
    this.emit('response', { answers: [{ type: 'SRV', name, data: { port, target: 'somewhere.else', priority: 0, weight: 0 } }], additionals: [{ type: 'TXT', name, data: texts.map(text => Buffer.from(text)) }] }, { address: from })
  }
}

t.test('what the network says is a hint: the address is that of who said it, and what makes no sense is left out', async t => {
  const said = new Said()
  let now = 0
  const discovery = new Discovery({ onTrouble: () => {}, multicast: said as unknown as MulticastDNS, now: () => now })
  t.equal(said.asked.length, 1)
  said.hear('192.0.2.7', 7741, ['name=Anna', `sha256=${keyOf(1)}`, 'code=31'])
  t.same(discovery.nearby(), [{ name: 'Anna', fingerprint: keyOf(1), host: '192.0.2.7', port: 7741, plate: 31 }])
  t.same(discovery.addressesOf(keyOf(1)), [{ transport: 'tls', host: '192.0.2.7', port: 7741 }])
  for (const [port, texts, name] of [[0, [`sha256=${keyOf(2)}`]], [70_000, [`sha256=${keyOf(2)}`]], [1, ['sha256=abc']], [1, []], [1, [`sha256=${keyOf(2)}`], 'x._other._tcp.local']] as Array<[number, string[], string?]>) said.hear('192.0.2.8', port, texts, name)
  t.equal(discovery.nearby().length, 1)
  said.hear('192.0.2.9', 1, [`name=${'n'.repeat(1000)}`, `sha256=${keyOf(3)}`, 'code=<b>'])
  t.match(discovery.nearby().at(-1), { name: 'n'.repeat(64), plate: undefined })

  for (let number = 10; number < 10 + MAX_NEARBY; number++) said.hear('192.0.2.10', 1, [`sha256=${keyOf(number)}`])
  t.equal(discovery.nearby().length, MAX_NEARBY, 'the oldest go')
  t.same(discovery.addressesOf(keyOf(1)), [])
  now = NEARBY_MS
  t.same(discovery.nearby(), [])

  discovery.announce(() => ({ name: 'us', fingerprint: keyOf(4), port: 1, plate: undefined }))
  said.hear('192.0.2.7', 1, [`sha256=${keyOf(4)}`])
  t.same(discovery.nearby(), [], 'we are no neighbour of ours')
  said.emit('query', { questions: [{ name: SERVICE, type: 'PTR' }, { name: 'printer.local', type: 'A' }] })
  said.emit('query', { questions: [{ name: 'printer.local', type: 'A' }] })
  t.equal(said.told.length, 2, 'once when it was announced, and once when somebody asked')
  await discovery.close()
})

t.test('two nodes find each other by real multicast on the loopback interface', async t => {
  // A port of its own, so that nothing of this reaches the network that the machine is in.
  const port = 30_000 + process.pid % 20_000
  const open = async (): Promise<Discovery> => {
    const multicast = multicastDns({ port, interface: '127.0.0.1', bind: '0.0.0.0', loopback: true })
    await once(multicast, 'ready')
    return new Discovery({ onTrouble: () => {}, multicast })
  }
  const [there, here] = [await open(), await open()]
  t.teardown(async () => { await Promise.all([there.close(), here.close()]) })
  there.announce(() => ({ name: 'laptop', fingerprint: keyOf(5), port: 7741, plate: 42 }))
  const found = await here.waiting(42, AbortSignal.timeout(5000))
  if (found.length === 0) {
    t.comment('SKIPPED: multicast on the loopback interface does not work here, so nothing was found and nothing was proven')
    return
  }
  t.match(found, [{ name: 'laptop', fingerprint: keyOf(5), port: 7741, plate: 42 }])
  t.same(here.addressesOf(keyOf(5)).map(({ port }) => port), [7741])
  t.same(there.nearby(), [], 'who only asks tells nothing')
})
