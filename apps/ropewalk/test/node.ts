/**
 * A node, and commands, in this process: starting one takes longer than most of them run.
 *
 * @module
 */
import type { Test } from 'tap'
import { say, type Said, type SayOptions } from './command-tree.ts'
import { Live } from './live.ts'

export type { Said } from './command-tree.ts'

export interface HereOptions extends SayOptions {
  readonly env?: NodeJS.ProcessEnv
}

/** A command. */
export async function here (args: readonly string[], state: string, { env, ...options }: HereOptions = {}): Promise<Said> {
  return await say(args, { ROPEWALK_STATE: state, ...env }, options)
}

/** `ropewalk serve --json`, which is stopped after the test. */
export class HereNode extends Live {
  constructor (t: Test, args: readonly string[], state: string, env: NodeJS.ProcessEnv = {}) {
    super(t, ['serve', '--json', ...args], { ROPEWALK_STATE: state, ...env })
  }
}
