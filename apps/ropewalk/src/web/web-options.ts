import { isLoopback } from '../address.ts'
import type { VerifyToken } from '../credentials.ts'
import { loadTokens } from '../credentials.ts'
import { RopewalkError } from '../errors.ts'

export interface WebOptions {
  readonly host: string
  readonly port: number
  /** Decides about tokens; undefined: whoever is on this machine may look, and act. */
  readonly verifyToken: VerifyToken | undefined
}

export interface WebFlags {
  readonly web?: string | boolean | undefined
  readonly webTokenFile?: string | undefined
  readonly allowPlaintext?: boolean | undefined
}

/** Where the page is, unless somebody says otherwise. Ours. */
export const WEB_ADDRESS = '127.0.0.1:7780'

/** What the flags of `serve` ask for; undefined where they ask for no page. */
export async function webOptions ({ web, webTokenFile, allowPlaintext }: WebFlags): Promise<WebOptions | undefined> {
  if (web === undefined || web === false) {
    if (webTokenFile !== undefined) throw new RopewalkError('ERR_USAGE', '--web-token-file goes with --web, which says where the page is')
    return undefined
  }
  const text = web === true ? WEB_ADDRESS : web
  const [, host = '', digits] = /^\[?([^\]\s/]+?)\]?:(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (host === '' || port > 65_535) throw new RopewalkError('ERR_ADDRESS', 'the address of a page is HOST:PORT', { text })
  if (!isLoopback(host)) {
    if (webTokenFile === undefined) {
      throw new RopewalkError('ERR_USAGE', 'whoever reaches this page could see every name, and accept offers', { text, advice: ['Ask for a token with --web-token-file; "openssl rand -hex 32" makes one.'] })
    }
    if (allowPlaintext !== true) {
      throw new RopewalkError('ERR_USAGE', 'without encryption everybody on the way can read the token', { text, advice: ['Leave the page on 127.0.0.1, and reach it by "ssh -L 7780:127.0.0.1:7780" or a proxy with TLS;', 'or say --allow-plaintext if the network itself is trusted.'] })
    }
  }
  return { host, port, verifyToken: webTokenFile === undefined ? undefined : await loadTokens({}, webTokenFile) }
}
