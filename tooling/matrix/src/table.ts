import type { Case } from './cases.ts'

/** What one cell of the matrix came to. */
export type Outcome = 'yes' | 'no' | 'n/a'

export interface Cell {
  readonly transport: string
  readonly muxer: string
  readonly case: string
  readonly outcome: Outcome
}

/** Cells that cannot be otherwise, by transport, muxer and case, with the reason. The test fails when one of them works after all. */
export const KNOWN: Readonly<Record<string, string>> = {
  'unix, none, abort here': 'a unix socket has no reset: who only reads sees an end',
  'unix, none, abort there': 'a unix socket has no reset: who only reads sees an end',
  'unix, none, connection dies': 'a unix socket has no reset: who only reads sees an end',
  'stdio, none, abort here': 'a pipe has no reset: who only reads sees an end',
  'stdio, none, abort there': 'a pipe has no reset: who only reads sees an end'
}

/** What a cell is called in `KNOWN`. */
export function nameOf ({ transport, muxer, case: name }: Omit<Cell, 'outcome'>): string {
  return `${transport}, ${muxer}, ${name}`
}

/** The page, from nothing but outcomes. */
export function page (cells: readonly Cell[], cases: readonly Case[]): string {
  const rows = [...new Set(cells.map(({ transport, muxer }) => `${transport}\0${muxer}`))].map(key => key.split('\0') as [string, string])
  const reasons = [...new Set(Object.values(KNOWN))]
  const table = rows.map(([transport, muxer]) => {
    const outcomes = cases.map(each => {
      const cell = cells.find(cell => cell.transport === transport && cell.muxer === muxer && cell.case === each.name)
      const reason = cell?.outcome === 'no' ? KNOWN[nameOf(cell)] : undefined
      return reason === undefined ? cell?.outcome ?? 'no' : `no (${reasons.indexOf(reason) + 1})`
    })
    return `| ${transport} | ${muxer} | ${outcomes.join(' | ')} |`
  })
  return [
    '# The matrix',
    '',
    'Every transport under every muxer, written by the test of `tooling/matrix` from what it saw; not by hand.',
    '',
    `| transport | muxer | ${cases.map(({ name }) => name).join(' | ')} |`,
    `|---|---|${cases.map(() => '---|').join('')}`,
    ...table,
    '',
    '## The cases',
    '',
    ...cases.map(({ name, proves }) => `- **${name}**: ${proves}.`),
    '',
    '## What is not "yes"',
    '',
    '- n/a: the case needs channels, and without a muxer the connection is the only one.',
    ...reasons.map((reason, at) => `- (${at + 1}) ${reason}. A muxer tells an end from a loss.`),
    ''
  ].join('\n')
}
