/**
 * What no muxer may fall for, as tests that any muxer can run: the bytes of a hostile peer, in the dialect of its wire.
 *
 * Numbers in the names (M1 to M15) are the classes that these attacks are known by; `README.md` lists them.
 *
 * @module
 */
import type { Channel } from '@ropewalk/interface'
import { Victim, type Dialect, type MakeVictim, type Outcome } from './abuse-victim.ts'
import { TestingError } from './errors.ts'
import type { Test } from './muxer-suite.ts'
import { check } from './muxer-stage.ts'
import type { PairOptions } from './pair.ts'

export type { Dialect, MakeVictim } from './abuse-victim.ts'

export interface AbusePromises {
  /** Frames of a flood before which the connection must have ended; 20,000. */
  floodFrames: number
  /** Windows of content that a reader who takes nothing may be sent before the channel fails; 2. */
  overdraftWindows: number
}

const DEFAULT_PROMISES: Readonly<AbusePromises> = { floodFrames: 20_000, overdraftWindows: 2 }

/** Where one case is played. */
export interface AbuseStage {
  readonly wire: Dialect
  readonly promises: AbusePromises
  /** A fresh muxer. A peer that does not read has only a little room for what it is told. */
  victim (options?: { reads?: boolean }): Victim
}

/** One attack. */
export interface AbuseCase {
  /** Stable name: what `known` and tables refer to. */
  readonly id: string
  /** What it proves, in one line. */
  readonly proves: string
  /** The part of the dialect that it needs. */
  readonly needs?: 'credit' | 'ping' | 'idle' | 'strays'
  /** Throws when the muxer falls for it. May return a figure worth printing. */
  run (stage: AbuseStage): Promise<string | void>
}

export interface AbuseSuiteOptions extends Partial<AbusePromises> {
  /** Of the connection. */
  line?: PairOptions
  /** Cases that this muxer is known to fail, by id, with what was seen. They are run all the same, and it is a failure when one of them passes. */
  known?: Readonly<Record<string, string>>
}

export const abuseCases: readonly AbuseCase[] = [
  {
    id: 'overdraft',
    proves: 'M1, M8: a peer that sends beyond the window to a sleeping reader costs about a window, and its channel fails',
    async run (stage) {
      const { wire, promises } = stage
      const { victim, channel } = await opened(stage)
      const content = new Uint8Array(16_384)
      const frames = 8 * wire.windowBytes / content.length
      await victim.flood(frames, index => wire.data(0, index, content))
      const { bytes } = await victim.drain(channel)
      const bound = promises.overdraftWindows * wire.windowBytes
      check(bytes <= bound, `${bytes} > ${bound} bytes were kept`)
      return `${bytes} of ${frames * content.length} bytes were kept`
    }
  },
  {
    id: 'crumbs',
    proves: 'M3: a window of one-byte frames is kept in few pieces',
    async run (stage) {
      const { wire } = stage
      const { victim, channel } = await opened(stage)
      const frames = Math.min(wire.windowBytes, wire.windowFrames ?? Infinity)
      await victim.flood(frames, index => wire.data(0, index, Uint8Array.of(index)))
      const { bytes, pieces } = await victim.drain(channel)
      check(bytes === frames, `${bytes} of ${frames} bytes came`)
      check(pieces <= 16 + bytes / 256, `${pieces} pieces for ${bytes} bytes`)
      return `${pieces} pieces for ${bytes} bytes`
    }
  },
  {
    id: 'lying-length',
    proves: 'M9: a frame that announces 2 or 4 GiB is refused when its header is seen, not gathered',
    async run (stage) {
      for (const length of [0x8000_0000, 0xffff_ffff]) {
        const { victim, channel } = await opened(stage)
        await victim.send(stage.wire.announce(0, 0, length))
        await victim.flood(100, () => new Uint8Array(16_384))
        const outcome = await victim.outcome()
        const { failed } = await victim.drain(channel)
        check(outcome === 'ended' || failed, `100 pieces of a frame of ${length} bytes, and nothing has failed`)
      }
    }
  },
  {
    id: 'ping-flood',
    proves: 'M2: pings without end, from a peer that reads the answers, end the connection',
    needs: 'ping',
    run: stage => endsFlood(stage, { reads: true }, index => [stage.wire.ping?.(index)])
  },
  {
    id: 'ping-flood-unread',
    proves: 'M2, M15: pings without end, from a peer that reads no answer, end the connection or its reading',
    needs: 'ping',
    run: stage => endsFlood(stage, { reads: false }, index => [stage.wire.ping?.(index)])
  },
  {
    id: 'idle-flood',
    proves: 'M3: frames that do nothing, without end, end the connection',
    needs: 'idle',
    async run (stage) {
      for (const [name, frame] of Object.entries(stage.wire.idle ?? {})) {
        const { victim } = await opened(stage)
        judge(await flooded(stage, victim, () => [frame]), name)
      }
    }
  },
  {
    id: 'open-reset-flood',
    proves: 'M4: channels opened and broken off without end end the connection, although somebody takes each of them',
    async run (stage) {
      const victim = stage.victim()
      const taken = victim.acceptAll()
      const result = await flooded(stage, victim, index => [stage.wire.open(index), stage.wire.reset(index)])
      judge(result, `${taken()} channels were handed out`)
      return `${taken()} channels were handed out`
    }
  },
  {
    id: 'open-flood',
    proves: 'M5: channels opened without end, which nobody takes, end the connection',
    run: stage => endsFlood(stage, { reads: true }, index => [stage.wire.open(index)])
  },
  {
    id: 'open-flood-unread',
    proves: 'M5, M15: the same from a peer that does not read the refusals',
    run: stage => endsFlood(stage, { reads: false }, index => [stage.wire.open(index)])
  },
  {
    id: 'credit-overflow',
    proves: 'M7: credit beyond 32 bits ends the channel or the connection',
    needs: 'credit',
    async run (stage) {
      const { victim, channel } = await opened(stage)
      for (let turns = 0; turns < 3; turns++) await victim.send(stage.wire.credit?.(0, 0xffff_ffff) ?? new Uint8Array(0))
      const outcome = await victim.outcome()
      const { failed } = await victim.drain(channel)
      check(outcome === 'ended' || failed, 'a credit of 12 GiB, and nothing has failed')
    }
  },
  {
    id: 'strays',
    proves: 'M7: what comes late, for channels that are over or never were, hurts nobody',
    needs: 'strays',
    async run (stage) {
      for (const [name, bytes] of Object.entries(stage.wire.strays ?? {})) {
        const victim = stage.victim()
        await victim.send(bytes)
        await victim.send(stage.wire.open(0))
        check(await victim.accept() !== undefined, `no channel can be opened after ${name}`)
        victim.end()
      }
    }
  },
  {
    id: 'breaches',
    proves: 'M6, M10: what no peer may say ends the connection',
    async run (stage) {
      const survived: string[] = []
      for (const [name, bytes] of Object.entries(stage.wire.breaches)) {
        const victim = stage.victim()
        await victim.send(bytes)
        if (await victim.outcome() === 'open') survived.push(name)
        victim.end()
      }
      check(survived.length === 0, `the connection is open after ${survived.join(', ')}`)
    }
  }
]

/** Runs every attack against muxers made for it. */
export async function abuseSuite (t: Test, wire: Dialect, make: MakeVictim, options: AbuseSuiteOptions = {}): Promise<void> {
  const { known = {}, line, ...promises } = options
  const unknown = Object.keys(known).filter(id => !abuseCases.some(each => each.id === id))
  if (unknown.length > 0) throw new RangeError(`no such case: ${unknown.join(', ')}`)

  for (const each of abuseCases) {
    const skip = each.needs != null && wire[each.needs] == null && `no ${each.needs} on this wire`
    const figure = known[each.id]
    const name = `${each.id}: ${each.proves}${figure == null ? '' : ` (known to fail: ${figure})`}`
    await t.test(name, { skip }, async (t: { pass?: (message: string) => unknown }) => {
      const result = runAbuseCase(each, wire, make, promises, line)
      const message = figure == null ? await result : await result.then(() => undefined, error => `failed as known: ${String(error)}`)
      if (figure != null && message == null) throw new TestingError('ERR_NOT_MET', `${each.id} passes: take it off the list of known failures`)
      t.pass?.(message ?? 'done')
    })
  }
}

/** Plays one attack; throws when the muxer falls for it. */
export async function runAbuseCase (each: AbuseCase, wire: Dialect, make: MakeVictim, options: Partial<AbusePromises> = {}, line: PairOptions = {}): Promise<string | void> {
  const victims: Victim[] = []
  try {
    return await each.run({
      wire,
      promises: { ...DEFAULT_PROMISES, ...options },
      victim ({ reads = true } = {}) {
        const victim = new Victim(make, reads, reads ? line : { ...line, capacityBytes: 256 })
        victims.push(victim)
        return victim
      }
    })
  } finally {
    for (const victim of victims) victim.end()
  }
}

/** A victim that has accepted channel 0. */
async function opened (stage: AbuseStage): Promise<{ victim: Victim, channel: Channel }> {
  const victim = stage.victim()
  await victim.send(stage.wire.open(0))
  const channel = await victim.accept()
  if (channel === undefined) throw new TestingError('ERR_NOT_MET', 'no channel came')
  return { victim, channel }
}

interface Flooded { sent: number, outcome: Outcome }

async function flooded (stage: AbuseStage, victim: Victim, frames: (index: number) => Array<Uint8Array | undefined>): Promise<Flooded> {
  const wanted = stage.promises.floodFrames
  const sent = await victim.flood(wanted, index => joinTwo(frames(index)))
  const outcome = await victim.outcome()
  return { sent, outcome: outcome === 'open' && sent < wanted ? 'stalled' : outcome }
}

function judge ({ sent, outcome }: Flooded, what: string): void {
  check(outcome !== 'open', `${what}: ${sent} were taken, and the connection is open`)
}

async function endsFlood (stage: AbuseStage, how: { reads: boolean }, frames: (index: number) => Array<Uint8Array | undefined>): Promise<string> {
  const result = await flooded(stage, stage.victim(how), frames)
  judge(result, 'a flood')
  return `${result.outcome} after about ${result.sent}`
}

function joinTwo ([first = new Uint8Array(0), second = new Uint8Array(0)]: Array<Uint8Array | undefined>): Uint8Array {
  const joined = new Uint8Array(first.byteLength + second.byteLength)
  joined.set(first)
  joined.set(second, first.byteLength)
  return joined
}
