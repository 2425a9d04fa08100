/**
 * What may change while a node runs: services ask when somebody comes, and SIGHUP changes the answers.
 *
 * @module
 */
import type { RemoteInfo } from '@ropewalk/interface'
import type { Configuration } from '../config/resolve.ts'
import { loadTokens, type VerifyToken } from '../credentials.ts'
import { RopewalkError } from '../errors.ts'

export class Policy {
  /** Keys of those who are served; undefined: whoever connects. */
  allowed: ReadonlySet<string> | undefined
  /** Accept by itself what trusted peers offer. */
  autoAccept = false
  /** Take offers also of who is not paired. */
  anyone = false
  #verify: VerifyToken | undefined

  static async of (configuration: Configuration, env: NodeJS.ProcessEnv): Promise<Policy> {
    const policy = new Policy()
    policy.#verify = await loadTokens(env, configuration.get('tokens'))
    policy.#take(configuration)
    return policy
  }

  /** Decides about tokens, where clients have to show one. Whether they do is part of the wire, and so for the life of the node. */
  get verifyToken (): VerifyToken | undefined {
    return this.#verify === undefined ? undefined : (token, nodeId) => this.#verify?.(token, nodeId) === true
  }

  /** Throws `ERR_REFUSED` unless whoever is at the other end has a grant, or a key that is allowed where keys are asked for. */
  assertAllowed (remote: RemoteInfo, granted: boolean): void {
    if (granted || this.allows(remote)) return
    const { fingerprint } = remote
    if (fingerprint === undefined) throw new RopewalkError('ERR_REFUSED', 'it has shown no key')
    throw new RopewalkError('ERR_REFUSED', `its key sha256=${fingerprint} is not among those allowed`)
  }

  /** Whether whoever is at the other end needs no grant: he has a key that is allowed, or none is asked for. */
  allows ({ address, fingerprint }: RemoteInfo): boolean {
    // A unix socket belongs to its owner, and its mode says so.
    return this.allowed === undefined || address.startsWith('unix:') || (fingerprint !== undefined && this.allowed.has(fingerprint))
  }

  /** Takes what a new configuration says. Rejects, and changes nothing, where it cannot be used. */
  async reload (configuration: Configuration, env: NodeJS.ProcessEnv): Promise<void> {
    const verify = await loadTokens(env, configuration.get('tokens'))
    if ((verify === undefined) !== (this.#verify === undefined)) throw new RopewalkError('ERR_CONFIG', 'tokens: whether clients show one changes at the next start only')
    this.#verify = verify
    this.#take(configuration)
  }

  #take (configuration: Configuration): void {
    const allow = configuration.get<string[]>('allow')
    this.allowed = allow === undefined ? undefined : new Set(allow)
    this.autoAccept = configuration.get('peers.auto_accept') === true
    this.anyone = configuration.get('peers.anyone_may_offer') === true
  }
}
