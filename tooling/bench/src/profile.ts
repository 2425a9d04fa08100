/** With ROPEWALK_BENCH_PROFILE=DIR every Node process under measurement writes a CPU profile there: the options for it. */
export function profile (subject: string, role: string): string[] {
  const directory = process.env['ROPEWALK_BENCH_PROFILE']
  return directory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${directory}`, `--cpu-prof-name=${subject}-${role}-${process.hrtime.bigint()}.cpuprofile`]
}
