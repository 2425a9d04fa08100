import { resolve } from 'node:path'
import * as v from 'valibot'
import { RopewalkError } from '../errors.ts'
import type { Setting } from './settings.ts'

/** What is said about `setting` in a file, or, with `words`, in the environment. `where` says where, for the error. */
export function checkedValue ({ kind }: Setting, value: unknown, where: string, folder: string): unknown {
  const result = v.safeParse(kind.schema, value)
  if (!result.success) throw new RopewalkError('ERR_CONFIG', `${where}: expected ${kind.expected}, and found ${JSON.stringify(value)}`)
  return kind.path === true ? resolve(folder, result.output as string) : result.output
}
