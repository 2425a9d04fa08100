/**
 * What stands on the command line in place of an object: its id, or a manifest, which names several.
 *
 * @module
 */
import { parseId } from '../arguments.ts'
import type { NodeChoice } from '../nodes.ts'
import { nodeAddress } from '../session.ts'
import { loadManifest, type Manifest } from './manifest.ts'

/** A file to be fetched: one object, or all parts of a manifest. */
export type Target =
  | { readonly kind: 'object', readonly id: string }
  | { readonly kind: 'manifest', readonly path: string, readonly manifest: Manifest }

/** An id; else the path of a manifest. `ERR_BAD_ID` or `ERR_MANIFEST` where it is neither. */
export async function parseTarget (text: string): Promise<Target> {
  if (/^[\da-f-]{32,36}$/i.test(text)) return { kind: 'object', id: parseId(text) }
  return { kind: 'manifest', path: text, manifest: await loadManifest(text) }
}

/** The node that a manifest names: others have written that, so it is not told everything. */
export function guardedNode (address: string, allowPlaintext: boolean): NodeChoice {
  return { address: nodeAddress(address, allowPlaintext), guarded: true }
}

/** The node that the user names. */
export function namedNode (address: string | undefined, allowPlaintext: boolean): NodeChoice {
  return { address: nodeAddress(address, allowPlaintext), guarded: false }
}
