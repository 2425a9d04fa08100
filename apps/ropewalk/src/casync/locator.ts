/**
 * What names an index, an archive or a store on the command line, as casync reads it: a path, `[user@]host:path`, or a URL; and, ours, `ADDRESS::path` at a
 * node that speaks several protocols.
 *
 * @module
 */
import { NODE_SCHEMES } from '../address.ts'
import { RopewalkError } from '../errors.ts'

export type Locator =
  /** On this machine; `-` is a path too, for whoever takes standard input and output for one. */
  | { readonly kind: 'file', readonly path: string }
  | { readonly kind: 'ssh', readonly host: string, readonly port: string | undefined, readonly path: string }
  | { readonly kind: 'http', readonly url: string }
  /** Below the folder that the node at `address` serves. */
  | { readonly kind: 'node', readonly address: string, readonly path: string }
  /** Whatever `casync-SCHEME` reaches. */
  | { readonly kind: 'helper', readonly scheme: string, readonly url: string }

const STORE_NAME = 'default.castr'

/** `ERR_USAGE` for what is none of them. */
export function parseLocator (text: string): Locator {
  if (text === '') throw new RopewalkError('ERR_USAGE', 'an empty name')
  if (NODE_SCHEMES.some(scheme => text.startsWith(scheme))) return nodePath(text)
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//.exec(text)?.[1]
  if (scheme === 'http' || scheme === 'https') return { kind: 'http', url: checkUrl(text).href }
  if (scheme === 'ssh') return sshUrl(text)
  if (scheme !== undefined) return { kind: 'helper', scheme, url: text }

  const [, host, path] = /^((?:[A-Za-z0-9._%-]+@)?[A-Za-z0-9._%-]+):(.+)$/s.exec(text) ?? []
  const remote = host !== undefined && path !== undefined && !/^\.{1,2}$/.test(host)
  return remote ? { kind: 'ssh', host, port: undefined, path } : { kind: 'file', path: text }
}

/** As it can be typed. */
export function formatLocator (locator: Locator): string {
  switch (locator.kind) {
    case 'file': return locator.path
    case 'ssh': return locator.port === undefined ? `${locator.host}:${locator.path}` : `ssh://${locator.host}:${locator.port}${locator.path}`
    case 'node': return `${locator.address}::${locator.path}`
    default: return locator.url
  }
}

/** Where casync keeps the chunks of an index unless somebody says otherwise: beside it. */
export function defaultStore (index: Locator, env: NodeJS.ProcessEnv): Locator {
  const named = env['CASYNC_STORE']
  if (named !== undefined && named !== '') return parseLocator(named)
  const beside = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1) + STORE_NAME
  switch (index.kind) {
    case 'file': return { ...index, path: beside(index.path) }
    case 'ssh': return { ...index, path: beside(index.path) }
    case 'node': return { ...index, path: beside(index.path) }
    default: return { ...index, url: beside(index.url.replace(/[?#].*$/s, '')) }
  }
}

/** The last part of its name. */
export function nameOf (locator: Locator): string {
  const text = locator.kind === 'node' ? locator.path : formatLocator(locator).replace(locator.kind === 'http' ? /[?#].*$/s : /$^/, '')
  return text.slice(Math.max(text.lastIndexOf('/'), locator.kind === 'ssh' ? text.indexOf(':') : -1) + 1)
}

/** Whether one process at the other end can give both. */
export function sameHost (a: Locator, b: Locator): boolean {
  if (a.kind === 'ssh' && b.kind === 'ssh') return a.host === b.host && a.port === b.port
  if (a.kind === 'node' && b.kind === 'node') return a.address === b.address
  return a.kind === 'helper' && b.kind === 'helper' && a.scheme === b.scheme
}

/** The first two colons behind the host: there are some in the brackets of one. */
function nodePath (text: string): Locator {
  const bracket = /^[^/]*\/\/\[[^\]]*\]/.exec(text)?.[0].length ?? 0
  const at = text.indexOf('::', bracket)
  if (!text.startsWith('yamux+') || at === -1 || at + 2 === text.length) {
    throw new RopewalkError('ERR_USAGE', 'what a node has is named ADDRESS::PATH, with an address for several protocols (yamux+…)', { text, advice: ['yamux+tls://nas.example:7740::images/a.caibx'] })
  }
  return { kind: 'node', address: text.slice(0, at), path: text.slice(at + 2) }
}

function sshUrl (text: string): Locator {
  const { username, hostname, port, pathname } = checkUrl(text)
  if (hostname === '' || pathname === '' || pathname === '/') throw new RopewalkError('ERR_USAGE', 'ssh://[USER@]HOST[:PORT]/PATH', { text })
  const user = username === '' ? '' : `${decodeURIComponent(username)}@`
  return { kind: 'ssh', host: user + hostname, port: port === '' ? undefined : port, path: decode(pathname, text) }
}

function checkUrl (text: string): URL {
  if (!URL.canParse(text)) throw new RopewalkError('ERR_USAGE', 'not a URL', { text })
  return new URL(text)
}

function decode (path: string, text: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw new RopewalkError('ERR_USAGE', 'a percent sign that encodes nothing', { text, at: text.indexOf('%') })
  }
}
