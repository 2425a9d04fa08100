/**
 * What casync starts at the other end in place of itself: `server.ts [OPTIONS] pull|push BASE ARCHIVE INDEX STORE...`
 *
 * @module
 */
import { createReadStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { castr, nodeCompression, nodeHash } from '@ropewalk/store-castr'
import { chain } from '../src/chain.ts'
import type { IncomingFile } from '../src/serve-push.ts'
import { servePull } from '../src/serve-pull.ts'
import { servePush } from '../src/serve-push.ts'
import { stdioChannel } from './stdio.ts'

const [verb, , archive = '-', index = '-', ...stores] = process.argv.slice(2).filter(word => !word.startsWith('--'))
const channel = stdioChannel(process.stdin, process.stdout)
const compression = nodeCompression()
const kept = stores.filter(store => store !== '-').map(store => castr(store))

if (verb === 'pull') {
  await servePull(channel, {
    ...(index === '-' ? {} : { index: createReadStream(index) }),
    ...(archive === '-' ? {} : { archive: createReadStream(archive) }),
    ...(kept.length === 0 ? {} : { store: chain(kept) }),
    compression
  })
} else {
  await servePush(channel, {
    ...(index === '-' ? {} : { index: await incoming(index) }),
    ...(archive === '-' ? {} : { archive: await incoming(archive) }),
    ...(kept[0] === undefined ? {} : { store: kept[0] }),
    hash: nodeHash,
    compression
  })
}

async function incoming (path: string): Promise<IncomingFile> {
  const temporary = `${path}.${process.pid}.tmp`
  const handle = await open(temporary, 'wx')
  return {
    write: async bytes => { await handle.appendFile(bytes) },
    commit: async () => {
      await handle.sync()
      await handle.close()
      await rename(temporary, path)
    },
    discard: async () => {
      await handle.close()
      await rm(temporary, { force: true })
    }
  }
}
