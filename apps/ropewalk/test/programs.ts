/**
 * The two programs, as they are started: from their sources; where `ROPEWALK_BUNDLE` names a folder, from the bundle of those sources that `bundled.ts` has made there.
 *
 * @module
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const bundle = process.env['ROPEWALK_BUNDLE']

export const MAIN: string = program('main')
/** What a casync at the other end is started as. */
export const HELPER: string = program('main-casync')

function program (name: string): string {
  return bundle === undefined ? fileURLToPath(new URL(`../src/${name}.ts`, import.meta.url)) : join(bundle, `${name}.js`)
}
