/**
 * What an interface asks of a peer: to join, to leave, for a file, for a report. Answers are connections of their own.
 *
 * @module
 */
import { Code, peerKey, type Message, type PeerAddress, type Profile } from './message.ts'
import { encodeMessage } from './message-codec.ts'
import { checkName } from './name-codec.ts'
import type { SwarmOptions } from './options.ts'
import type { SwarmState } from './state.ts'
import { encodeStatus } from './status-codec.ts'

export interface InterfaceParts {
  readonly options: SwarmOptions
  readonly profile: Profile
  readonly state: SwarmState
  /** Sends `bytes` on a connection of their own. */
  readonly reply: (to: PeerAddress, bytes: Uint8Array) => void
  readonly isInserting: (name: string) => boolean
  readonly insert: (name: string, source: AsyncIterable<Uint8Array>) => Promise<void>
  readonly leave: () => Promise<void>
}

type InterfaceMessage = Extract<Message, { readonly action: 'Join' | 'Leave' | 'Query' | 'Insert' | 'Remove' }>

export class InterfaceMessages {
  readonly #parts: InterfaceParts

  constructor (parts: InterfaceParts) {
    this.#parts = parts
  }

  async take (message: InterfaceMessage, remote: string): Promise<void> {
    const { options, profile, state, reply, leave } = this.#parts
    // Rule T2: an address of a peer is never answered, or two peers answer each other for ever.
    if (options.allowInterface?.(remote) !== true || state.peer(message.from) !== undefined || peerKey(message.from) === peerKey(options.self)) return
    const code = (value: number): void => { reply(message.from, encodeMessage(profile, { action: 'Error', from: options.self, code: value })) }
    switch (message.action) {
      case 'Join': return code(Code.Connected)
      case 'Query':
        if (options.reportToRequester === true || profile.name === 'documented') reply(message.from, encodeStatus(profile.name, state.status()))
        return
      case 'Leave':
        code(Code.Ok)
        return await leave()
      case 'Insert': code(await this.#insert(message.path))
    }
  }

  async #insert (path: string): Promise<number> {
    const { options, state, isInserting, insert } = this.#parts
    const name = `files/${path.split('/').at(-1) ?? ''}`
    try {
      checkName(name)
      if (state.file(name) !== undefined || isInserting(name)) return Code.FileExists
      if (options.openInsert === undefined) return Code.BadPermission
      const source = await options.openInsert(path)
      if (source === undefined) return Code.FileMissing
      await insert(name, source)
      return Code.Ok
    } catch {
      return Code.BadPermission
    }
  }
}
