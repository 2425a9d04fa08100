/**
 * What a command takes for its work alone.
 *
 * @module
 */
import type { Command } from './mover.ts'
import { watch, type Watched } from './watch.ts'

/** Of the whole time of a program, what is at least counted as transfer however long it takes to start. */
const LEAST_SHARE = 0.25

export interface Timed {
  readonly seconds: number
  readonly watched: Watched
}

/** By the program's own account where it has one; else its whole time less what a start takes. */
export async function timed (command: Command, server: number | undefined): Promise<Timed> {
  const start = command.idle === undefined ? 0 : await idleSeconds(command.idle, server)
  const watched = await watch(command, server)
  const { wholeSeconds, stdout } = watched
  const seconds = command.own === undefined ? Math.max(wholeSeconds - start, wholeSeconds * LEAST_SHARE) : command.own(stdout)
  if (!(seconds > 0)) throw new Error(`${command.file} says that it took ${seconds} s`)
  return { seconds, watched }
}

/** The shorter of two: it is to be what a start takes, not what else went on. */
async function idleSeconds (command: Command, server: number | undefined): Promise<number> {
  const first = await watch(command, server)
  const second = await watch(command, server)
  return Math.min(first.wholeSeconds, second.wholeSeconds)
}
