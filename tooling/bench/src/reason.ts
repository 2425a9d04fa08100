/** The line of a program's standard error that says what was wrong. */
export function reasonIn (stderr: string): string {
  const lines = stderr.trim().split('\n')
  return lines.find(line => /error/i.test(line)) ?? lines.slice(-3).join(' | ')
}
