/**
 * The command line of casync as ours: there options may stand before the verb, here they belong to it.
 *
 * @module
 */

/** Options of casync that take the next word as their value where no `=` follows. */
const WITH_VALUE = ['store', 'extra-store', 'chunk-size', 'digest', 'compression', 'seed', 'cache', 'rate-limit-bps', 'what', 'with', 'without', 'uid-shift', 'uid-range', 'log-level']

/** The same for `ropewalk`: the verb first. */
export function casyncArguments (argv: readonly string[]): string[] {
  let verb = 0
  while (verb < argv.length && (argv[verb] as string).startsWith('-')) verb += WITH_VALUE.includes((argv[verb] as string).replace(/^--?/, '')) || argv[verb] === '-l' ? 2 : 1
  return ['casync', ...argv.slice(verb, verb + 1), ...argv.slice(0, verb), ...argv.slice(verb + 1)]
}
