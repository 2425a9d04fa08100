import { X509Certificate } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { escapeName } from '@ropewalk/receive'
import { createAuthority, issueIdentity, type Identity } from '@ropewalk/transport-tcp'
import type { Context } from '../context.ts'
import { loadCertificate } from '../credentials.ts'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { encodeLine } from '../progress/ndjson.ts'
import { statePath } from '../state-directory.ts'
import { makeDirectory } from '../whole-directory.ts'

export interface AuthorityFlags {
  readonly dir?: string | undefined
  readonly days?: number | undefined
  readonly json: boolean
}

export interface InitFlags extends AuthorityFlags {
  readonly name?: string | undefined
}

export interface IssueFlags extends AuthorityFlags {
  readonly san: readonly string[]
  readonly output?: string | undefined
}

const [ROOT_CERTIFICATE, ROOT_KEY, CERTIFICATE, KEY] = ['ca.pem', 'ca-key.pem', 'cert.pem', 'key.pem'] as const

/** Makes the authority of a cluster. */
export async function initAuthority (context: Context, { dir, name, days, json }: InitFlags): Promise<Exit> {
  const directory = authorityPath(context, dir)
  const authority = await createAuthority({ name, days }).catch(asUsage)
  await mkdir(dirname(directory), { recursive: true, mode: 0o700 })
  await makeDirectory(directory, {
    [ROOT_CERTIFICATE]: { content: authority.certificate, mode: 0o644 },
    [ROOT_KEY]: { content: authority.privateKey, mode: 0o600 }
  }, 0o700)
  return tell(context, json, 'authority', authority, {
    ca: join(directory, ROOT_CERTIFICATE),
    key: join(directory, ROOT_KEY)
  })
}

/** Makes a key and a certificate for a node, in a directory of its own. */
export async function issueCertificate (context: Context, node: string, { dir, san, output, days, json }: IssueFlags): Promise<Exit> {
  if (!/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$/u.test(node)) throw new RopewalkError('ERR_USAGE', 'a node has a name of up to 64 letters, digits, dots, dashes and underscores', { text: node })
  const directory = authorityPath(context, dir)
  const authority = await loadCertificate(join(directory, ROOT_CERTIFICATE), join(directory, ROOT_KEY)).catch((error: unknown) => { throw noAuthority(directory, error) })
  const issued = await issueIdentity(authority, { name: node, names: [...san], days }).catch(asUsage)
  const target = resolve(output ?? node)
  await makeDirectory(target, {
    [CERTIFICATE]: { content: issued.certificate, mode: 0o644 },
    [KEY]: { content: issued.privateKey, mode: 0o600 },
    [ROOT_CERTIFICATE]: { content: authority.certificate, mode: 0o644 }
  }, 0o700)
  return tell(context, json, 'issued', issued, {
    cert: join(target, CERTIFICATE),
    key: join(target, KEY),
    ca: join(target, ROOT_CERTIFICATE)
  })
}

function authorityPath ({ env }: Context, dir: string | undefined): string {
  return resolve(dir ?? join(statePath(env), 'ca'))
}

function tell ({ stdout }: Context, json: boolean, event: string, { certificate, fingerprint }: Identity, files: Readonly<Record<string, string>>): Exit {
  const parsed = new X509Certificate(certificate)
  const until = parsed.validToDate.toISOString()
  if (json) stdout.write(encodeLine({ event, ...files, sha256: fingerprint, until, names: parsed.subjectAltName ?? null }))
  else {
    for (const [what, path] of Object.entries(files)) stdout.write(`${what.padEnd(6)} ${escapeName(path)}\n`)
    stdout.write(`pin    sha256=${fingerprint}\nuntil  ${until.slice(0, 10)}\n`)
    if (parsed.subjectAltName !== undefined) stdout.write(`names  ${escapeName(parsed.subjectAltName)}\n`)
  }
  return Exit.done
}

/** Names and numbers stand on the command line. */
function asUsage (error: unknown): never {
  if (error instanceof RangeError || codeOf(error) === 'ERR_ADDRESS') throw new RopewalkError('ERR_USAGE', messageOf(error), { cause: error })
  throw new RopewalkError('ERR_CREDENTIALS', messageOf(error), { cause: error })
}

function noAuthority (directory: string, error: unknown): unknown {
  const cause = error instanceof Error && error.cause !== undefined ? codeOf(error.cause) : undefined
  if (cause !== 'ENOENT') return error
  return new RopewalkError('ERR_CREDENTIALS', 'there is no authority', { text: directory, cause: error, advice: ['"ropewalk ca init" makes one; --dir says where it is.'] })
}
