const NOISE = /^\s*(ok \d+|1\.\.\d+|# time=|# No coverage|\}\s*$|TAP version|# \{ total|$)/
const POINT = /^\s*(not )?ok \d+/
const SUBTEST = /^\s*# Subtest: /

/**
 * The output of tap without what passed. Whatever is not known to be a passing point stays, so that nothing is hidden:
 * failing points with their diagnosis, what was written to standard error, a crash of tap itself.
 *
 * @param {string[]} lines
 * @returns {string[]}
 */
export function failures (lines) {
  const kept = []
  let headings = []
  let diagnosis = false
  for (const line of lines) {
    const indent = /^\s*/.exec(line)[0].length
    if (/^\s*---$/.test(line)) diagnosis = true
    if (diagnosis) {
      kept.push(line)
      if (/^\s*\.\.\.$/.test(line)) diagnosis = false
      continue
    }
    // A point ends the subtests that are as deep as itself.
    if (POINT.test(line) || SUBTEST.test(line)) headings = headings.filter(open => open.indent < indent)
    if (SUBTEST.test(line)) headings.push({ indent, line })
    else if (!NOISE.test(line)) kept.push(...headings.splice(0).map(open => open.line), line)
  }
  return kept
}
