/**
 * scp and sftp, with an sshd of their own: keys, configuration and known hosts lie in the folder of the measurement, and
 * nothing of the machine's or the user's is read.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { userInfo } from 'node:os'
import { synced } from './cp.ts'
import { find, missing } from '../installed.ts'
import type { Command, Mover, Place } from './mover.ts'
import { freePort, startDaemon, stop } from './server.ts'

/** What TLS 1.3 takes here too; its own default costs twice as much. */
const CIPHER = 'aes256-gcm@openssh.com'

/** Where sshd locks itself in when root runs it; it must exist. */
const JAIL = '/run/sshd'

const PROGRAMS = ['sshd', 'ssh', 'ssh-keygen']
const PACKAGES = ['openssh-client', 'openssh-server']

interface Ssh {
  /** For `scp` and `sftp` alike. */
  readonly options: readonly string[]
  readonly host: string
}

export const scp: Mover = {
  about: 'scp -r, then fsync of every file; AES-256-GCM',
  carriers: ['tls'],
  packages: PACKAGES,
  missing: async () => missing('scp', ...PROGRAMS),
  serve: (place, _) => keep(place, ({ options, host }, { source, names, kept, fetched }, nothing) => {
    const copy = (from: string, to: string): Command => ({ file: 'scp', args: [...options, '-q', '-r', from, to] })
    return {
      put: () => ({ ...synced(copy(`${source}/.`, `${host}:${kept}`), kept, names), idle: copy(nothing, `${host}:${nothing}-stored`) }),
      get: () => ({ ...synced(copy(`${host}:${kept}/.`, fetched), fetched, names), idle: copy(`${host}:${nothing}`, `${nothing}-fetched`) })
    }
  })
}

export const sftp: Mover = {
  about: 'sftp put -f and get -f, which sync every file; AES-256-GCM',
  carriers: ['tls'],
  packages: PACKAGES,
  missing: async () => missing('sftp', ...PROGRAMS),
  serve: (place, _) => keep(place, ({ options, host }, { source, kept, fetched, state }) => {
    const batch = (name: string, lines: string): Command => {
      const file = join(state, `sftp-${name}-${process.hrtime.bigint()}`)
      writeFileSync(file, lines)
      return { file: 'sftp', args: [...options, '-q', '-b', file, host] }
    }
    const idle = (): Command => batch('idle', 'pwd\n')
    return {
      put: () => ({ ...batch('put', `lcd "${source}"\ncd "${kept}"\nput -f *\n`), idle: idle() }),
      get: () => ({ ...batch('get', `cd "${kept}"\nlcd "${fetched}"\nget -f *\n`), idle: idle() })
    }
  })
}

type Commands = (ssh: Ssh, place: Place, nothing: string) => { put (): Command, get (): Command }

async function keep (place: Place, commands: Commands): ReturnType<Mover['serve']> {
  const { state } = place
  const port = await freePort()
  const folder = join(state, `ssh-${port}`)
  const nothing = join(folder, 'nothing')
  mkdirSync(folder, { recursive: true })
  writeFileSync(nothing, '')
  const { username, uid } = userInfo()
  if (uid === 0 && !existsSync(JAIL)) mkdirSync(JAIL, { mode: 0o755 })

  const [hostKey, userKey] = ['host', 'user'].map(name => makeKey(state, folder, name)) as [string, string]
  const known = join(folder, 'known_hosts')
  writeFileSync(known, `[127.0.0.1]:${port} ${publicKey(hostKey)}\n`)
  writeFileSync(join(folder, 'authorized_keys'), `${publicKey(userKey)}\n`, { mode: 0o600 })
  const server = [
    `Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${hostKey}`, `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`, 'PidFile none', 'StrictModes no',
    'UsePAM no', 'PasswordAuthentication no', 'KbdInteractiveAuthentication no', 'PermitRootLogin prohibit-password', 'LogLevel ERROR', `Ciphers ${CIPHER}`,
    'Compression no', 'UseDNS no', 'PrintMotd no', 'Subsystem sftp internal-sftp'
  ]
  writeFileSync(join(folder, 'sshd_config'), `${server.join('\n')}\n`)
  // It runs itself again for each connection, and wants to know where it lies.
  const child = await startDaemon(find('sshd') as string, ['-D', '-e', '-f', join(folder, 'sshd_config')], port)

  const client = [
    `UserKnownHostsFile=${known}`, 'GlobalKnownHostsFile=none', 'StrictHostKeyChecking=yes', `IdentityFile=${userKey}`, 'IdentitiesOnly=yes', 'IdentityAgent=none',
    'BatchMode=yes', 'Compression=no', `Ciphers=${CIPHER}`, 'ControlPath=none', 'LogLevel=ERROR'
  ]
  const ssh = { options: ['-F', 'none', '-P', String(port), ...client.flatMap(option => ['-o', option])], host: `${username}@127.0.0.1` }
  return { pid: child.pid, ...commands(ssh, place, nothing), stop: () => stop(child) }
}

/** Made once for all measurements. */
function makeKey (state: string, folder: string, name: string): string {
  const made = join(state, `ssh-${name}-key`)
  if (!existsSync(made)) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'bench', '-f', made])
  const key = join(folder, name)
  copyFileSync(made, key)
  writeFileSync(`${key}.pub`, publicKey(made))
  return key
}

function publicKey (key: string): string {
  return execFileSync('ssh-keygen', ['-y', '-f', key], { encoding: 'utf8' }).trim()
}
