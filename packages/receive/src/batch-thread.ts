/**
 * A thread that writes batches of small files.
 *
 * @module
 */
import { fsyncSync } from 'node:fs'
import { release } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { flushFileSystem } from '@ropewalk/disk'
import { writeBatch, type BatchDisk, type BatchTold, type BatchWork } from './batch-writing.ts'
import { BUSY_DISK_BYTES } from './constants.ts'
import { isMuchWaiting, isSince } from './waiting.ts'

/** From syncfs(2): since Linux 5.8 a flush fails where anything could not be written; before that it did not say so. */
const TELLS_LOSSES = process.platform === 'linux' && isSince(release(), 5, 8)

const DISK: BatchDisk = {
  flush: folder => TELLS_LOSSES && !isMuchWaiting(BUSY_DISK_BYTES) && flushFileSystem(folder),
  sync: fsyncSync
}

parentPort?.on('message', (work: BatchWork) => { parentPort?.postMessage(writeBatch(work, DISK) satisfies BatchTold) })
