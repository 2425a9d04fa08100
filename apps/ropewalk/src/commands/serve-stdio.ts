import { realpath } from 'node:fs/promises'
import { stdio } from '@ropewalk/transport-stdio'
import { commandWords } from '../casync/confine.ts'
import { parseHelperCall } from '../casync/remote-end.ts'
import type { Configuration } from '../config/resolve.ts'
import type { Context } from '../context.ts'
import { fileError, RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { CasyncSessions, defaultCall } from '../services/casync.ts'
import { stdioPath } from '../services/listeners.ts'
import { Looking } from '../services/looking.ts'
import { Muxed } from '../services/muxed.ts'
import { Policy } from '../services/policy.ts'
import { Records } from '../services/records.ts'
import type { Host } from '../services/service.ts'
import { statePath } from '../state-directory.ts'
import { trouble, type ServeFlags } from './serve.ts'

/** What makes no sense for a process of one session; from a file such settings are those of the node that stays. */
const OTHERS: ReadonlyArray<keyof ServeFlags> = ['json', 'pair', 'ipc', 'inbox', 'peers', 'web']

/**
 * One session of casync on standard input and output, for whoever has started this process: ssh, inetd, a socket of systemd. Standard output is
 * the session's, and the process ends with it. What the client wants is said by `words`, by sshd, or by the address.
 */
export async function serveStdio (context: Context, configuration: Configuration, listen: readonly string[], words: readonly string[], given: ServeFlags): Promise<Exit> {
  const { env, signal } = context
  const [address = '', ...more] = listen
  const path = stdioPath(address)
  if (more.length > 0) throw new RopewalkError('ERR_USAGE', 'standard input and output are one session, and the process ends with it', { text: more[0], advice: ['A node that listens elsewhere is a process of its own.'] })
  const other = OTHERS.find(flag => given[flag] !== undefined && given[flag] !== false)
  if (other !== undefined) throw new RopewalkError('ERR_USAGE', `--${other} does not go with casync+stdio:, which is one session of casync and nothing else`)
  if (path !== undefined && words.length > 0) throw new RopewalkError('ERR_USAGE', 'what is served is said twice', { text: `${address} ${words.join(' ')}` })
  if (configuration.get('trust.only_granted') === true) throw new RopewalkError('ERR_USAGE', 'with trust.only_granted nobody comes in without a key, and on standard input nobody shows one')
  const root = configuration.get<string>('chunks.directory')
  if (root === undefined) throw new RopewalkError('ERR_USAGE', 'casync+stdio: needs a folder to serve', { advice: ['--chunks DIRECTORY names it, or chunks.directory in the configuration.'] })
  const sent = words.length > 0 || path !== undefined ? words : commandWords(env['SSH_ORIGINAL_COMMAND'] ?? '').slice(1)
  const call = sent.length > 0 ? parseHelperCall(sent) : defaultCall(path)

  const state = statePath(env)
  const onTrouble = trouble(context, false)
  const looking = await Looking.open(context, { logLevel: given.logLevel, logFile: given.logFile })
  const records = await Records.open({ state, configuration, controlled: false, hidden: true, onTrouble })
  const { board, door } = records
  const host: Host = looking.over({
    context, board, door, state, onTrouble, muxed: new Muxed(), policy: await Policy.of(configuration, env), control: undefined, json: false, note: () => {}, listening: () => {}
  })
  const sessions = new CasyncSessions(host, {
    root: await realpath(root).catch((error: unknown) => { throw new RopewalkError('ERR_FILE', fileError(error).message, { text: root, cause: error }) }),
    push: configuration.get('chunks.push') === true
  })
  const stop = (): void => { void sessions.stop(0) }
  try {
    await looking.start(host, [])
    signal.addEventListener('abort', stop, { once: true })
    const connection = stdio()
    try {
      await sessions.serve(connection, call)
    } catch (error) {
      connection.abort(error as Error)
      throw error
    }
    return Exit.done
  } finally {
    signal.removeEventListener('abort', stop)
    looking.stopping()
    await looking.stop()
    await records.close()
  }
}
