/**
 * Targets of symbolic links. Pure. Nothing is ever written through a link here; what a target decides is where others are led.
 *
 * @module
 */
import { MAX_TARGET_BYTES } from './constants.ts'
import { ReceiveError } from './errors.ts'
import { escapeName } from './escape.ts'

/**
 * `inside`: a target cannot lead out of the root, not through other links either. `folder`: nor out of the folder that the name begins with, which is new where the sender has
 * chosen it, so that no link leads to what was there before; one that is in no folder is refused. `any`: as it was sent.
 */
export type Links = 'refuse' | 'folder' | 'inside' | 'any'

/** Throws `ERR_SYMLINK` unless the link `name`, which is in its normal form, may have that target. */
export function checkTarget (name: string, target: string, links: Links): void {
  const refuse = (why: string): never => {
    throw new ReceiveError('ERR_SYMLINK', `"${escapeName(name)}" is a symbolic link to "${escapeName(target)}", ${why}`)
  }
  if (links === 'refuse') refuse('and links were not asked for')
  if (target === '' || target.includes('\0') || !target.isWellFormed()) refuse('which is no path')
  const bytes = new TextEncoder().encode(target).length
  if (bytes > MAX_TARGET_BYTES) refuse(`${bytes} > ${MAX_TARGET_BYTES} bytes`)
  if (links === 'any') return
  if (target.startsWith('/') || target.includes('\\') || /^[a-z]:/i.test(target)) refuse('which is absolute')

  const parts = target.split('/').filter(part => part !== '' && part !== '.')
  const up = parts.findIndex(part => part !== '..')
  const climbs = up < 0 ? parts.length : up
  const depth = name.split('/').length - 1
  if (links === 'folder' && climbs >= depth) refuse(depth === 0 ? 'and lies in no folder' : 'which leads out of its folder')
  if (climbs > depth) refuse('which leads out of the root')
  // Behind a name, `..` leaves whatever folder a link of that name leads to: only at the beginning is it known which.
  if (parts.slice(climbs).includes('..')) refuse('which goes up again behind a name')
}
