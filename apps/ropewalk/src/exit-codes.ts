/** What the process tells its caller. `--help` prints this table. */
export const Exit = {
  done: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  notFound: 4,
  interrupted: 130
} as const

export type Exit = typeof Exit[keyof typeof Exit]

export const EXIT_HELP = `
Exit codes:
  0    done
  1    some transfer failed; standard error says which
  2    wrong usage
  3    cannot connect, no answer, or the node is not the one that is trusted
  4    no object of that id (and nothing worse happened)
  130  interrupted
`

/** One code for many outcomes: trouble with the connection outweighs a failure, a failure outweighs "not found". */
export function worst (codes: Iterable<Exit>): Exit {
  let result: Exit = Exit.done
  for (const code of codes) {
    if (ORDER.indexOf(code) > ORDER.indexOf(result)) result = code
  }
  return result
}

const ORDER: readonly Exit[] = [Exit.done, Exit.notFound, Exit.failed, Exit.unreachable, Exit.usage, Exit.interrupted]
