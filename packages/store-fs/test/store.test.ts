import { storeSuite } from '@ropewalk/testing/store-suite'
import t from 'tap'
import { makeFolder } from './folder.ts'

await storeSuite(t, async options => {
  const folder = await makeFolder()
  let store = await folder.open(options)
  return {
    store,
    async reopen () {
      await store.close()
      store = await folder.open(options)
      return store
    },
    dispose: folder.dispose
  }
})
