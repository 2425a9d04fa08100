/**
 * The contract of a FragmentStore as tests that any implementation can run.
 *
 * ```ts
 * import t from 'tap'
 * import { storeSuite } from '@ropewalk/testing/store-suite'
 *
 * await storeSuite(t, async () => openMyStore())
 * ```
 *
 * @module
 */
import type { OpenStore, StoreSuiteOptions, Test } from './store-fixture.ts'
import { storeLifeSuite } from './store-life.ts'
import { storeModelSuite } from './store-model.ts'
import { storeReadSuite } from './store-read.ts'
import { storeWriteSuite } from './store-write.ts'

export type { OpenStore, OpenedStore, StoreSuiteOptions, Test } from './store-fixture.ts'

/**
 * Runs every test against stores that `openStore` makes; each test opens one of its own, empty, and disposes of it.
 * `t` is the `t` of tap, or anything with the same few methods.
 */
export async function storeSuite (t: Test, openStore: OpenStore, options: StoreSuiteOptions = {}): Promise<void> {
  await storeWriteSuite(t, openStore)
  await storeReadSuite(t, openStore)
  await storeLifeSuite(t, openStore)
  await storeModelSuite(t, openStore, options)
}
