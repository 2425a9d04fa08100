import { loadIdentity } from '@ropewalk/transport-tcp'
import { formatId } from '../arguments.ts'
import type { Context } from '../context.ts'
import { Exit } from '../exit-codes.ts'
import { encodeLine } from '../progress/ndjson.ts'
import { loadNodeId, statePath } from '../state-directory.ts'

/** Prints by what other nodes know this one. */
export async function identity ({ stdout, env }: Context, { json }: { readonly json: boolean }): Promise<Exit> {
  const state = statePath(env)
  const { fingerprint } = await loadIdentity(state)
  const nodeId = formatId(await loadNodeId(state))
  stdout.write(json
    ? encodeLine({ event: 'identity', node_id: nodeId, sha256: fingerprint, state })
    : `node   ${nodeId}\nkey    sha256=${fingerprint}\nstate  ${state}\n`)
  return Exit.done
}
