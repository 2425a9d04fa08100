/**
 * Addresses are URLs.
 *
 *      ws://HOST[:PORT][/PATH][?QUERY]    wss://…
 *
 * @module
 */
import { TransportError } from './errors.ts'

/** Reads an address. `ERR_ADDRESS` says what is wrong with it. */
export function parseUrl (address: string | URL): URL {
  const text = String(address)
  const url = URL.parse(text)

  if (url == null) throw wrong(text, 'is not a URL')
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') throw wrong(text, 'begins with neither ws:// nor wss://')
  if (url.username !== '' || url.password !== '') throw wrong(text, 'has a user: give headers instead')
  if (url.hash !== '') throw wrong(text, 'has a fragment, which is never sent')

  return url
}

/** The address for people. Without its query: that may hold a token. */
export function describe (url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`
}

function wrong (text: string, what: string): TransportError {
  // Up to the first separator behind the host: what comes behind may be secret.
  const shown = text.replace(/\/\/[^/]*@/, '//…@').replace(/[?#].*/s, '').slice(0, 200)
  return new TransportError('ERR_ADDRESS', `address ${JSON.stringify(shown)} ${what}`)
}
