// One listener, several protocols: each channel says what it is for, and the listener hands it to whoever speaks that.
// Run: node negotiate-protocols.ts
import type { Channel } from '@ropewalk/interface'
import { mdsftp } from '@ropewalk/muxer-mdsftp'
import { handle, select } from '@ropewalk/negotiate'
import { createIdentity, dial, formatAddress, listen, parseAddress } from '@ropewalk/transport-tcp'

const services: Record<string, (channel: Channel) => Promise<void>> = {
  '/example/echo/1': channel => channel.sink(channel.source),
  '/example/time/1': channel => channel.sink([new TextEncoder().encode(new Date().toISOString())])
}

const identity = await createIdentity()
const listener = await listen(parseAddress('tls://127.0.0.1:0'), { tls: { identity } })
void (async () => {
  for await (const connection of listener) {
    void (async () => {
      for await (const opened of mdsftp(connection, { role: 'acceptor' })) {
        void handle(opened, Object.keys(services)).then(({ protocol, channel }) => services[protocol]?.(channel)).catch((error: Error) => opened.abort(error))
      }
    })()
  }
})()

// The address ends in the listener's fingerprint: nobody else can answer in its place.
const muxer = mdsftp(await dial(parseAddress(formatAddress(listener.address))), { role: 'dialer' })
console.log(await ask('/example/echo/1', 'anybody there?')) // anybody there?
console.log(/^\d{4}-/.test(await ask('/example/time/1', ''))) // true
console.log(await ask('/example/chess/1', 'e4').catch((error: { code: string }) => error.code)) // ERR_UNSUPPORTED
await muxer.close()
await listener.close()

async function ask (protocol: string, text: string): Promise<string> {
  const { channel } = await select(await muxer.open(), [protocol])
  const sinking = channel.sink(text === '' ? [] : [new TextEncoder().encode(text)])
  let answer = ''
  for await (const bytes of channel.source) answer += new TextDecoder().decode(bytes.subarray())
  await sinking
  return answer
}
