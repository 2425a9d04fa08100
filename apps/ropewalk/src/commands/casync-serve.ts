import { ActivityBoard } from '../activity/board.ts'
import type { Context } from '../context.ts'
import { Exit } from '../exit-codes.ts'
import { writeLines } from '../progress/lines.ts'
import { encodeLine } from '../progress/ndjson.ts'
import { peakMemory } from '../progress/report.ts'
import { webAddress } from '../services/chunks-address.ts'
import { startChunks } from '../services/chunks.ts'
import { Door } from '../services/door.ts'
import { Muxed } from '../services/muxed.ts'
import { Policy } from '../services/policy.ts'
import { GRACE_MS, type Host } from '../services/service.ts'
import { statePath } from '../state-directory.ts'
import { aborted, tell, trouble } from './serve.ts'

export interface CasyncServeFlags {
  readonly listen: string
  readonly allowAnyone: boolean
  readonly json: boolean
}

/** Serves chunks, indexes and archives below a folder over HTTP until the signal says stop. */
export async function casyncServe (context: Context, root: string, { listen, allowAnyone, json }: CasyncServeFlags): Promise<Exit> {
  const { stderr, env, signal } = context
  const { host: address, port } = webAddress(listen, allowAnyone)
  const board = new ActivityBoard()
  const host: Host = {
    context,
    board,
    door: new Door({ board, state: statePath(env) }),
    policy: new Policy(),
    muxed: new Muxed(),
    control: undefined,
    state: statePath(env),
    json,
    note: text => { if (!json) writeLines(stderr, text) },
    onTrouble: trouble(context, json),
    listening: where => { tell(context, json, 'listening', where) }
  }
  const service = await startChunks(host, { root, host: address, port })
  host.note('Ctrl-C stops')
  await aborted(signal)
  if (json) context.stdout.write(encodeLine({ event: 'stopping' }))
  const clean = await service.stop(GRACE_MS)
  if (json) context.stdout.write(encodeLine({ event: 'stopped', clean, peak_memory: peakMemory() }))
  return Exit.done
}
