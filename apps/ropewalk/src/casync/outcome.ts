/**
 * How a command of casync ends: the result and 0, or what went wrong, where, and what to do about it.
 *
 * @module
 */
import type { Context } from '../context.ts'
import { codeOf, exitFor, messageOf, RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { printFailure } from '../failure.ts'
import { writeLines } from '../progress/lines.ts'
import { encodeLine } from '../progress/ndjson.ts'
import { Phases } from '../progress/phases.ts'

export interface ReportFlags {
  readonly json: boolean
}

export interface PhasesOptions {
  /** What the command makes is written to standard output. */
  readonly dataOnStdout?: boolean | undefined
  /** What is left of an interrupted command, and how it is gone on with: a sentence without its end. */
  readonly kept?: string | undefined
}

/** Runs `work` with its progress, and says how it ended. */
export async function withPhases (context: Context, flags: ReportFlags, work: (phases: Phases) => Promise<Exit>, { dataOnStdout = false, kept }: PhasesOptions = {}): Promise<Exit> {
  const phases = new Phases({ ...context, json: flags.json, dataOnStdout })
  try {
    const exit = await work(phases)
    phases.close()
    return exit
  } catch (thrown) {
    phases.close()
    const error: unknown = context.signal.aborted ? context.signal.reason : thrown
    if (flags.json) (dataOnStdout ? context.stderr : context.stdout).write(encodeLine({ event: 'failed', code: codeOf(error), message: messageOf(error), ...factsOf(error) }))
    if (codeOf(error) === 'ERR_USER_INTERRUPT' && kept !== undefined) writeLines(context.stderr, `Interrupted: ${kept}.`)
    else printFailure(context.stderr, error, adviceFor(error))
    return exitOf(error)
  }
}

function exitOf (error: unknown): Exit {
  const exit = exitFor(error)
  if (exit !== Exit.failed || !(error instanceof Error) || error instanceof RopewalkError) return exit
  const status = 'status' in error ? error.status : undefined
  if (status === 404 || status === 410) return Exit.notFound
  if (codeOf(error) === 'ERR_HTTP' && status === undefined) return Exit.unreachable
  return exit
}

function factsOf (error: unknown): object {
  const id = error instanceof Error && 'id' in error ? error.id : undefined
  return id === undefined ? {} : { chunk: id }
}

const ADVICE: Readonly<Record<string, string>> = {
  ERR_CHUNK_MISSING: 'Another store may have it: --store, --extra-store.',
  ERR_CHUNK_DAMAGED: 'Another store may have a good one: --extra-store. "ropewalk casync verify" tells of all.',
  ERR_ABORTED: 'The other end gave up; its own words are above, if it said any.',
  ERR_INTERRUPTED: 'The other end went; its own words are above, if it said any. What is done stays: the same command goes on.',
  ERR_TIMEOUT: 'The other end is silent. What is done stays: the same command goes on.',
  ERR_INDEX: 'It was cut short or is no index: fetch it again, or make it anew.',
  ERR_MISMATCH: 'The other end does not serve what was asked for: is it there, and may it be written?',
  ERR_NO_SPACE: 'The disk is full. What is done stays: the same command goes on.'
}

function adviceFor (error: unknown): string[] {
  const advice = error instanceof RopewalkError ? undefined : ADVICE[codeOf(error)]
  return advice === undefined ? [] : [advice]
}
