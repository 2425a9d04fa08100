/**
 * A thread of an identifier: names the chunks that lie one behind the other in a buffer, and writes those that are wanted.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { IntakeQuestion } from './intake-thread.ts'
import { Naming, type NamingOptions } from './naming.ts'
import { refusalOf } from './threads.ts'

const naming = new Naming(workerData as NamingOptions)

parentPort?.on('message', ({ buffer, lengths = [] }: IntakeQuestion) => {
  try {
    parentPort?.postMessage(naming.name(new Uint8Array(buffer ?? new SharedArrayBuffer(0)), lengths))
  } catch (error) {
    parentPort?.postMessage(refusalOf(error))
  }
})
