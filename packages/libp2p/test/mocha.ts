/**
 * Mocha's globals, as far as libp2p's suites use them, on tap: every `describe` and every `it` is a subtest.
 *
 * @module
 */
import type { Test } from 'tap'

type Body = (this: Context) => unknown
type Hook = () => unknown

/** What `this` is in a suite or a case. */
interface Context { timeout (ms: number): void }

interface Suite {
  readonly title: string
  readonly beforeAll: Hook[]
  readonly beforeEach: Hook[]
  readonly afterEach: Hook[]
  readonly afterAll: Hook[]
  readonly children: Array<Suite | Case>
  timeoutMs: number
}

interface Case { readonly title: string, readonly run: Body }

/** Mocha's own. */
const TIMEOUT_MS = 60_000

/** Runs what `define` describes as subtests of `t`. */
export async function mocha (t: Test, define: () => void): Promise<void> {
  let current = suite('', TIMEOUT_MS)
  const describe = (title: string, body: Body): void => {
    const parent = current
    const child = current = suite(title, parent.timeoutMs)
    parent.children.push(child)
    body.call({ timeout: ms => { child.timeoutMs = ms } })
    current = parent
  }
  const globals = {
    describe,
    it: (title: string, run: Body): void => { current.children.push({ title, run }) },
    before: (hook: Hook): void => { current.beforeAll.push(hook) },
    beforeEach: (hook: Hook): void => { current.beforeEach.push(hook) },
    afterEach: (hook: Hook): void => { current.afterEach.push(hook) },
    after: (hook: Hook): void => { current.afterAll.push(hook) }
  }
  Object.assign(globalThis, globals)
  try {
    define()
  } finally {
    for (const name of Object.keys(globals)) Reflect.deleteProperty(globalThis, name)
  }
  await runSuite(t, current, [])
}

function suite (title: string, timeoutMs: number): Suite {
  return { title, timeoutMs, beforeAll: [], beforeEach: [], afterEach: [], afterAll: [], children: [] }
}

async function runSuite (t: Test, suite: Suite, outer: Suite[]): Promise<void> {
  const path = [...outer, suite]
  for (const hook of suite.beforeAll) await hook()
  for (const child of suite.children) {
    if ('run' in child) await t.test(child.title, { timeout: suite.timeoutMs }, t => runCase(t, child, path))
    else await t.test(child.title, { timeout: child.timeoutMs }, t => runSuite(t, child, path))
  }
  for (const hook of suite.afterAll) await hook()
}

async function runCase (t: Test, { title, run }: Case, path: Suite[]): Promise<void> {
  for (const { beforeEach } of path) for (const hook of beforeEach) await hook()
  try {
    await run.call({ timeout: ms => { t.setTimeout(ms) } })
    t.pass(title)
  } finally {
    for (const { afterEach } of path.toReversed()) for (const hook of afterEach) await hook()
  }
}
