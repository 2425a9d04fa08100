import { link } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { Directory } from './directory.ts'
import { temporary } from './path.ts'

/** A socket's name goes with whoever listens; another name of it stays. */
export async function bind (directory: Directory, name: string): Promise<void> {
  const first = temporary()
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(`${directory.path}/${first}`, resolve)
  })
  try {
    await link(`${directory.path}/${first}`, directory.at(name))
  } finally {
    await new Promise(resolve => { server.close(resolve) })
  }
}
