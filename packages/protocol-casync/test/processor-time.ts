/** Microseconds of a processor that `work` takes: unlike the time of a clock, they do not grow where something else runs. */
export function processorTime (work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}
