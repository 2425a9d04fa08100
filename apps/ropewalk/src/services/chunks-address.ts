import { RopewalkError } from '../errors.ts'

const LOCAL: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost'])

/** Where a web server listens: `http://HOST[:PORT]`. For other machines only where somebody has said that anyone may come. */
export function webAddress (listen: string, allowAnyone: boolean): { readonly host: string, readonly port: number } {
  const [, hostname, port = '80'] = /^http:\/\/(\[[\da-fA-F:.]+\]|[^/:@[\]]+)(?::(\d{1,5}))?\/?$/.exec(listen) ?? []
  if (hostname === undefined || Number(port) > 65_535) throw new RopewalkError('ERR_ADDRESS', 'http://HOST:PORT', { text: listen })
  const host = hostname.replace(/^\[|\]$/g, '')
  if (!LOCAL.has(host) && !allowAnyone) {
    throw new RopewalkError('ERR_USAGE', 'whoever reaches this server could read everything below the folder', { text: listen, advice: ['Say --allow-anyone if that is what you want. A web server in front of it can ask who comes, and encrypt.'] })
  }
  return { host, port: Number(port) }
}
