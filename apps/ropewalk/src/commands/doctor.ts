import { escapeName } from '@ropewalk/receive'
import { parseAddress } from '../address.ts'
import { parseLocator, type Locator } from '../casync/locator.ts'
import type { Context } from '../context.ts'
import { RopewalkError } from '../errors.ts'
import { machineSteps, thisMachine, type World } from '../doctor/machine.ts'
import { nodeSteps } from '../doctor/node.ts'
import type { Steps } from '../doctor/way.ts'
import { examine, type Finding, type Outcome } from '../doctor/steps.ts'
import { Exit } from '../exit-codes.ts'
import { DEFAULT_COLUMNS } from '../progress/live-screen.ts'
import { Report, type Result } from '../progress/report.ts'
import { statePath } from '../state-directory.ts'
import { fit, widthOf } from '../width.ts'

export interface DoctorFlags {
  readonly tokenFile?: string | undefined
  /** In milliseconds. */
  readonly timeout: number
  readonly json: boolean
}

/** Says whether this machine can run a node, and whether the one at `text` can be reached; and if not, at which step it ends. */
export async function doctor (context: Context, text: string | undefined, { tokenFile, timeout, json }: DoctorFlags, world: World = thisMachine): Promise<Exit> {
  const signal = (): AbortSignal => AbortSignal.any([context.signal, AbortSignal.timeout(timeout)])
  const way = text === undefined ? undefined : await wayTo(context, text, tokenFile, signal)
  const report = new Report({ ...context, json })
  let exit: Exit = Exit.done
  const tell = async (findings: AsyncIterable<Finding>, failure: Exit): Promise<void> => {
    for await (const finding of findings) {
      if (finding.outcome === 'failed') exit = failure
      report.result(resultOf(finding, context.stdout.columns ?? DEFAULT_COLUMNS))
      context.signal.throwIfAborted()
    }
  }
  await tell(examine(machineSteps(statePath(context.env), world)), Exit.failed)
  if (way === undefined) return exit
  try {
    await tell(examine(way.steps), Exit.unreachable)
  } finally {
    way.close()
  }
  return exit
}

/** To a node that stores, or to what one has of casync: `ADDRESS::PATH`. */
async function wayTo (context: Context, text: string, tokenFile: string | undefined, within: () => AbortSignal): Promise<Steps> {
  const named = namedAtNode(text)
  if (named === undefined) return nodeSteps(context, parseAddress(text), tokenFile, within)
  if (tokenFile !== undefined) throw new RopewalkError('ERR_USAGE', 'casync has no place for a token: nodes know who comes by the key', { text })
  return (await import('../doctor/casync.ts')).casyncSteps(context, named, within)
}

function namedAtNode (text: string): Locator & { kind: 'node' } | undefined {
  if (!text.startsWith('yamux+') || !text.replace(/\[[^\]]*\]/, '').includes('::')) return undefined
  const locator = parseLocator(text)
  return locator.kind === 'node' ? locator : undefined
}

/** Characters of a finding that are shown. Ours. */
const MAX_MESSAGE = 1024

/** What stands before all lines but the first. */
const INDENT = ' '.repeat(18)

/** In lines that fit; a word that does not is cut in its middle. */
function wrapped (text: string, columns: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) as string
    if (last !== '' && widthOf(last) + 1 + widthOf(word) > columns) lines.push(fit(word, columns))
    else lines[lines.length - 1] = last === '' ? fit(word, columns) : `${last} ${word}`
  }
  return lines
}

const WORDS: Readonly<Record<Outcome, string>> = { ok: 'ok', warning: 'look', failed: 'FAILED', skipped: '-' }

function resultOf (finding: Finding, columns: number): Result {
  const { step, outcome, message, advice, code } = finding
  return {
    record: { event: 'examined', ...finding },
    row: [step, outcome, escapeName(message, MAX_MESSAGE), code ?? ''],
    lines: [message, ...advice].flatMap((text, at) => wrapped(escapeName(text, MAX_MESSAGE), Math.max(20, columns - INDENT.length)).map((line, row) => at + row === 0 ? `${step.padEnd(10)} ${WORDS[outcome].padEnd(6)} ${line}` : `${INDENT}${line}`))
  }
}
