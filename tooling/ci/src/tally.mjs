/**
 * Counts what tap says it ran. Only a summary line is believed, and whatever gives no summary has failed.
 *
 * @module
 */

/**
 * @typedef {object} Row one package
 * @property {string} name
 * @property {number} passed assertions
 * @property {number} failed assertions, and one for each thing in `problems` that tap did not count
 * @property {number} skipped assertions that the test itself set aside
 * @property {number} seconds
 * @property {string[]} problems why it failed, beyond assertions
 */

/**
 * What ran, from the output of turbo.
 *
 * @param {string[]} lines of turbo, without colour, with the prefix of their task: `@ropewalk/flow:test: …`
 * @param {string[]} planned the packages whose tests turbo was asked to run
 * @param {number} exitCode of turbo
 * @returns {{ rows: Row[], passed: number, failed: number }}
 */
export function tally (lines, planned, exitCode) {
  const failedTasks = lines.flatMap(line => /^\s*Failed:\s+(.*)$/.exec(line)?.[1].split(/,\s*/) ?? [])
  const rows = planned.map(name => row(name, linesOf(lines, name, 'test'), failedTasks.includes(`${name}#test`)))
  const passed = sum(rows, 'passed')
  const failed = sum(rows, 'failed')
  // Something failed that is no test, or nothing was there to run: neither is a success.
  return { rows, passed, failed: failed === 0 && (exitCode !== 0 || passed === 0) ? 1 : failed }
}

/** The lines of one task, without their prefix. */
export function linesOf (lines, name, task) {
  const prefix = `${name}:${task}: `
  return lines.filter(line => line.startsWith(prefix.trimEnd())).map(line => line.slice(prefix.length))
}

function row (name, lines, taskFailed) {
  const summary = lines.findLast(line => line.startsWith('# { total: ')) ?? ''
  const seconds = Number(/^# time=([\d.]+)ms/.exec(lines.findLast(line => line.startsWith('# time=')) ?? '')?.[1] ?? 0) / 1000
  const passed = count(summary, 'pass')
  const failures = count(summary, 'fail')
  const problems = [...emptyFiles(lines)]
  if (lines.some(line => line.startsWith('cache hit'))) problems.push('was not run: turbo replayed it from its cache')
  if (lines.length === 0) problems.push('was not run: something that it needs has failed')
  else if (summary === '') problems.push(lines.includes('No test files found') ? 'has no tests' : 'ended without a summary')
  else if (passed + failures === 0 && problems.length === 0) problems.push('ran no assertion')
  if (taskFailed && failures === 0 && problems.length === 0) problems.push('exited with an error, though no assertion failed')
  return { name, passed, failed: failures + problems.length, skipped: count(summary, 'skip') + count(summary, 'todo'), seconds, problems }
}

// tap calls a file without a test skipped, and passes.
function emptyFiles (lines) {
  return lines.flatMap(line => {
    const file = /^ok \d+ - (.+) # SKIP no tests found/.exec(line)?.[1]
    return file === undefined ? [] : [`${file} has no tests`]
  })
}

function count (summary, word) {
  return Number(new RegExp(`\\b${word}: (\\d+)`).exec(summary)?.[1] ?? 0)
}

function sum (rows, key) {
  return rows.reduce((total, row) => total + row[key], 0)
}
