import type { Limit, PackageLimits, Unit } from './limit.ts'

/** What a package says, with the values of its constants. */
export interface Valued extends Omit<PackageLimits, 'exports'> {
  readonly values: Readonly<Record<string, unknown>>
}

/** The page, from nothing but the tables and the constants. */
export function page (packages: readonly Valued[]): string {
  return [
    '# The limits',
    '',
    'Every number beyond which something else happens, with the test that proves it. Written by the test of `tooling/limits` from the',
    'constants of the packages; not by hand. That test fails for a limit without a test, and for a constant that is not here.',
    '',
    'Where there is no error, nothing is lost: somebody waits, or is refused, as it says. Every constant is exported by its package.',
    '',
    ...packages.flatMap(section)
  ].join('\n')
}

function section ({ folder, limits, values }: Valued): string[] {
  return [
    `## ${folder}`,
    '',
    '| limit | default | option | beyond it | error | constant | proven by |',
    '|---|---|---|---|---|---|---|',
    ...limits.map(limit => row(folder, limit, values[limit.constant])),
    ''
  ]
}

function row (folder: string, { constant, of, unit, option, beyond, code, test: [file, title] }: Limit, value: unknown): string {
  const cells = [
    of,
    amount(Number(value), unit),
    option === undefined ? '' : `\`${option}\``,
    beyond,
    code === undefined ? '' : `\`${code}\``,
    `\`${constant}\``,
    `[${shown(title)}](../packages/${folder}/test/${file})`
  ]
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

/** A number as people read it: 64 KiB, 30 s, 1,024 pieces. */
export function amount (value: number, unit: Unit): string {
  if (unit === 'bytes') return inSteps(value, [[1024 ** 3, 'GiB'], [1024 ** 2, 'MiB'], [1024, 'KiB']], 'bytes')
  if (unit === 'ms') return inSteps(value, [[3_600_000, 'h'], [60_000, 'min'], [1000, 's']], 'ms')
  return `${grouped(value)} ${unit}`
}

function inSteps (value: number, steps: ReadonlyArray<readonly [number, string]>, smallest: string): string {
  const [size, name] = steps.find(([size]) => value >= size && value % size === 0) ?? [1, smallest]
  return `${grouped(value / size)} ${name}`
}

function grouped (value: number): string {
  return value.toLocaleString('en-GB')
}

/** What a title holds in `${}` differs from round to round. */
function shown (title: string): string {
  return title.replace(/\$\{[^}]*\}/g, '…').replaceAll('[', '\\[').replaceAll(']', '\\]')
}
