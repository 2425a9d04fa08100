/**
 * Who may do what: grants, made and taken back, and what the audit log says of it all.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { escapeName } from '@ropewalk/receive'
import { parseDigest } from '../arguments.ts'
import type { Context } from '../context.ts'
import { resolveConfig } from '../config/resolve.ts'
import { codeOf, RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { readGrants, writeGrants, type Access, type Grant } from '../grants/grants.ts'
import { readLog, RotatingLog } from '../logs/rotating-log.ts'
import { withNode } from '../peers/with-node.ts'
import { Report, type Result } from '../progress/report.ts'
import { auditPath } from '../services/door.ts'
import { statePath } from '../state-directory.ts'

export interface GrantFlags {
  readonly protocol: string
  readonly on?: string | undefined
  readonly access: Access
  /** Milliseconds from now. */
  readonly for?: number | undefined
  readonly json: boolean
}
export interface JsonFlags { readonly json: boolean }
export interface AuditFlags extends JsonFlags { readonly limit: number, readonly refused: boolean }

/** Lets a peer do something. */
export async function grant (context: Context, peer: string, flags: GrantFlags): Promise<Exit> {
  const state = statePath(context.env)
  const made: Grant = {
    id: randomBytes(4).toString('hex'), peer: await keyOf(context, peer), protocol: flags.protocol, on: flags.on === undefined || flags.on === '*' ? '*' : resolve(flags.on), access: flags.access,
    ...flags.for === undefined ? {} : { until: Date.now() + flags.for }
  }
  await writeGrants(state, [...await readGrants(state), made])
  await note(context, { event: 'granted', ...made })
  new Report({ ...context, json: flags.json }).result(grantResult(made, 'granted'))
  return Exit.done
}

/** Takes a grant back. A node that runs ends what it alone had let in. */
export async function revoke (context: Context, id: string, { json }: JsonFlags): Promise<Exit> {
  const state = statePath(context.env)
  const all = await readGrants(state)
  const found = all.filter(grant => grant.id.startsWith(id))
  const [gone] = found
  if (gone === undefined || found.length > 1) {
    throw new RopewalkError('ERR_NOT_FOUND', gone === undefined ? 'there is no such grant' : `${found.length} grants begin so`, { text: id, advice: ['"ropewalk grants" lists them.'] })
  }
  await writeGrants(state, all.filter(grant => grant !== gone))
  await note(context, { event: 'revoked', ...gone })
  new Report({ ...context, json }).result(grantResult(gone, 'revoked'))
  return Exit.done
}

export async function grants (context: Context, { json }: JsonFlags): Promise<Exit> {
  const report = new Report({ ...context, json })
  const all = await readGrants(statePath(context.env))
  for (const one of all) report.result(grantResult(one))
  if (all.length === 0 && !json) report.note('No grants: the configuration decides who may come.')
  return Exit.done
}

/** The end of the audit log. */
export async function audit (context: Context, { limit, refused, json }: AuditFlags): Promise<Exit> {
  const report = new Report({ ...context, json })
  const { env } = context
  const last: Array<Record<string, unknown>> = []
  for await (const record of readLog(auditPath(statePath(env)), (await resolveConfig({ env })).get('audit.keep') as number)) {
    if (refused && record['event'] !== 'refused') continue
    last.push(record)
    if (last.length > limit) last.shift()
  }
  for (const record of last) report.result(auditResult(record))
  return Exit.done
}

/** The key of a peer that is known by a name, or that is said. */
async function keyOf (context: Context, peer: string): Promise<string> {
  try {
    return parseDigest(peer)
  } catch {
    const found: string[] = []
    await withNode(context, { alone: 'quiet' }, async ask => {
      for await (const line of ask({ do: 'peers' })) if (line['alias'] === peer) found.push(String(line['peer']))
    }).catch((error: unknown) => {
      if (codeOf(error) !== 'ERR_USAGE') throw error
      throw new RopewalkError('ERR_NOT_FOUND', 'the node that runs knows no peer by a name', { cause: error, text: peer, advice: ['Say its key, as "ropewalk identity" prints it there.'] })
    })
    const [key] = found
    if (key === undefined) throw new RopewalkError('ERR_NOT_FOUND', 'there is no such peer', { text: peer, advice: ['A peer is a key, as "ropewalk identity" prints it there, or the name of a paired machine.'] })
    return key
  }
}

async function note ({ env }: Context, record: Readonly<Record<string, unknown>>): Promise<void> {
  const configuration = await resolveConfig({ env })
  const log = await RotatingLog.open({ path: auditPath(statePath(env)), maxBytes: configuration.get('audit.max_size') as number, keep: configuration.get('audit.keep') as number })
  log.append({ at: new Date().toISOString(), ...record })
  await log.close()
}

function grantResult (one: Grant, event: string = 'grant'): Result {
  const { id, peer, protocol, on, access, until } = one
  const end = until === undefined ? 'until it is revoked' : `until ${new Date(until).toISOString()}`
  return {
    record: { event, ...one },
    row: [id, peer, protocol, access, on, until === undefined ? '' : String(until)],
    lines: [`${id}  sha256=${peer.slice(0, 16)}…  ${protocol}, ${access}`, `          on ${on === '*' ? 'everything' : escapeName(on)}, ${end}`]
  }
}

function auditResult (record: Readonly<Record<string, unknown>>): Result {
  const text = (field: string): string => record[field] === undefined ? '' : escapeName(String(record[field]))
  const [at, event, protocol, address, message] = ['at', 'event', 'protocol', 'address', 'message'].map(text) as [string, string, string, string, string]
  return { record, row: [at, event, protocol, address, text('fingerprint'), message], lines: [`${at}  ${event} ${protocol} ${address}`.trimEnd(), ...message === '' ? [] : [`    ${message}`]] }
}
