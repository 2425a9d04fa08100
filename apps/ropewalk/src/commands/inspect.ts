import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { addAbortSignal, type Readable } from 'node:stream'
import type { Context } from '../context.ts'
import { codeOf, fileError, messageOf, RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import type { Inspection } from '../inspect/inspector.ts'
import { PROTOCOLS } from '../inspect/protocols.ts'
import { encodeLine } from '../progress/ndjson.ts'

export interface InspectFlags {
  readonly profile?: string | undefined
  readonly port?: string | undefined
  readonly asked?: string | undefined
  readonly preamble: boolean
  readonly token: boolean
}

/** Bytes read at a time. Ours. */
const READ_BYTES: number = 256 * 1024

/** Prints a recorded stream, a line of JSON for each message. */
export async function inspect (context: Context, protocol: string, file: string, flags: InspectFlags): Promise<Exit> {
  const inspector = Object.hasOwn(PROTOCOLS, protocol) ? PROTOCOLS[protocol] : undefined
  if (inspector === undefined) throw new RopewalkError('ERR_USAGE', `unknown protocol; there is ${Object.keys(PROTOCOLS).join(', ')}`, { text: protocol })
  if (flags.profile !== undefined && !inspector.profiles.includes(flags.profile)) {
    throw new RopewalkError('ERR_USAGE', `unknown profile; ${protocol} has ${inspector.profiles.join(', ')}`, { text: flags.profile })
  }
  if (flags.port !== undefined && inspector.ports?.includes(flags.port) !== true) {
    throw new RopewalkError('ERR_USAGE', inspector.ports === undefined ? `${protocol} has no ports` : `unknown port; ${protocol} has ${inspector.ports.join(', ')}`, { text: flags.port })
  }
  if (flags.asked !== undefined && inspector.replies !== true) throw new RopewalkError('ERR_USAGE', `${protocol} says itself what it is: it needs no --asked`, { text: flags.asked })
  const asked = flags.asked === undefined ? undefined : chunks(createReadStream(flags.asked, { highWaterMark: READ_BYTES }), context.signal)
  const source = file === '-' ? context.stdin : createReadStream(file, { highWaterMark: READ_BYTES })
  const inspection = await inspector.open({ ...flags, asked, preamble: flags.preamble || flags.token })
  return await print(context, addAbortSignal(context.signal, source), inspection)
}

async function print ({ stdout, signal }: Context, source: Readable, inspection: Inspection): Promise<Exit> {
  for await (const read of chunks(source, signal)) {
    let lines = ''
    const breach = attempt(() => inspection.push(read, message => { lines += encodeLine(message) }))
    if (lines !== '' && !stdout.write(lines)) await once(stdout, 'drain', { signal })
    if (breach !== undefined) return report(breach)
  }
  let last = ''
  const breach = attempt(() => inspection.end(message => { last += encodeLine(message) }))
  stdout.write(last)
  return breach === undefined ? Exit.done : report(breach)

  function report ({ error }: { error: unknown }): Exit {
    stdout.write(encodeLine({ offset: inspection.offset, error: { code: codeOf(error), message: messageOf(error) } }))
    return Exit.failed
  }
}

async function * chunks (source: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of source) yield chunk as Uint8Array
  } catch (error) {
    signal.throwIfAborted()
    throw fileError(error)
  }
}

/** What `work` throws, boxed: anything can be thrown. */
function attempt (work: () => void): { error: unknown } | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return { error }
  }
}
