/**
 * A registry on this machine: ours are there as they would be published, for all others npm is sent to the real one.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'

export interface Packed {
  readonly manifest: { readonly name: string, readonly version: string }
  readonly tarball: string
}

export interface Registry {
  readonly url: string
  close (): Promise<void>
}

export async function openRegistry (packages: readonly Packed[], real: string): Promise<Registry> {
  const documents = new Map<string, (url: string) => unknown>()
  const tarballs = new Map<string, Buffer>()
  for (const { manifest, tarball } of packages) {
    const bytes = await readFile(tarball)
    const { name, version } = manifest
    const path = `/-/${encodeURIComponent(name)}-${version}.tgz`
    tarballs.set(path, bytes)
    const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
    documents.set(name, url => ({ name, 'dist-tags': { latest: version }, versions: { [version]: { ...manifest, dist: { tarball: url + path, integrity } } } }))
  }
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const document = documents.get(decodeURIComponent(path.slice(1)))
    const tarball = tarballs.get(path)
    if (document !== undefined) response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document(url)))
    else if (tarball !== undefined) response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(tarball)
    else response.writeHead(302, { location: real.replace(/\/$/, '') + path }).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    }
  }
}
