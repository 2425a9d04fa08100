/**
 * What `--listen` may say: the address of a node, or one of these, each of a service of its own.
 *
 * @module
 */

/** What begins like this is for that service: a line each. */
const SERVICES = {
  'ipc+tls://': 'uploads',
  'ipc+unix:': 'uploads',
  'casync+stdio:': 'stdio',
  'torronto+tcp://': 'swarm'
} as const

type ServiceName = 'nodes' | typeof SERVICES[keyof typeof SERVICES]

/** The texts by whom they are for, each service's in their order. What nobody else wants is the address of a node. */
export function sortListeners (texts: readonly string[]): Readonly<Record<ServiceName, readonly string[]>> {
  const sorted: Record<ServiceName, string[]> = { nodes: [], uploads: [], stdio: [], swarm: [] }
  for (const text of texts) sorted[serviceOf(text)].push(text)
  return sorted
}

/** The name behind `casync+stdio:`, where there is one. */
export function stdioPath (text: string): string | undefined {
  const path = text.slice('casync+stdio:'.length)
  return path === '' ? undefined : path
}

function serviceOf (text: string): ServiceName {
  return Object.entries(SERVICES).find(([scheme]) => text.startsWith(scheme))?.[1] ?? 'nodes'
}
