import t from 'tap'
import type { SwarmEffect } from '../src/facts.ts'
import type { Message, PeerAddress } from '../src/message.ts'
import { SwarmState } from '../src/state.ts'

const COUNT = 40
const name = 'files/a'
const size = COUNT * 65_536
const self = { host: 'h', port: 1 }
const others: PeerAddress[] = [2, 3, 4, 5].map(port => ({ host: 'h', port }))
const hashes = Array.from({ length: COUNT }, (_, index) => `${index}`.padStart(64, '0'))

/** Numbers that look random, the same for a seed: mulberry32. */
function dice (seed: number): (most: number) => number {
  let state = seed
  return most => {
    state = state + 0x6d2b79f5 | 0
    let mixed = Math.imul(state ^ state >>> 15, 1 | state)
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed
    return ((mixed ^ mixed >>> 14) >>> 0) % most
  }
}

const asked = (effects: readonly SwarmEffect[]): Array<{ to: PeerAddress, index: number }> =>
  effects.flatMap(effect => effect.type === 'send' && effect.message.action === 'Download' ? [{ to: effect.to, index: effect.message.chunk.index }] : [])

t.test('whatever is announced in whatever order, nothing that can be asked for is left for later, and all of it comes', async t => {
  for (let seed = 1; seed <= 60; seed++) {
    const roll = dice(seed)
    const state = new SwarmState({ self, peers: others, profile: 'hardened', verify: true, seed })
    const under: Array<{ to: PeerAddress, index: number }> = []
    let late = 0
    const take = (effects: readonly SwarmEffect[]): void => {
      under.push(...asked(effects))
      for (const effect of effects) if (effect.type === 'write') under.push(...asked(state.written(effect.from, name, effect.chunk.index, 65_536, 0, hashes[effect.chunk.index])))
      const more = asked(state.expire(0))
      late += more.length
      under.push(...more)
    }
    take(state.join(0))
    const [seeder, ...parts] = others as [PeerAddress, ...PeerAddress[]]
    const add = (from: PeerAddress, held: number[]): Message => ({ action: 'Add', from, files: [{ name, count: COUNT, held, size, chunkSha256: hashes }], extension: 1 })
    take(state.receive(add(seeder, hashes.map((_, index) => index)), 0))
    for (const peer of parts) take(state.receive(add(peer, []), 0))
    const left = parts.map(() => hashes.map((_, index) => index))
    for (let step = 0; step < 5000 && state.file(name)?.finished !== true; step++) {
      const at = roll(parts.length)
      const [peer, has] = [parts[at] as PeerAddress, left[at] as number[]]
      if (has.length > 0 && (under.length === 0 || roll(3) > 0)) {
        const [index] = has.splice(roll(has.length), 1) as [number]
        take(state.receive({ action: 'Have', from: peer, chunk: { name, count: COUNT, index, size, sha256: hashes[index] } }, 0))
      } else if (under.length > 0) {
        const [{ to, index }] = under.splice(roll(under.length), 1) as [{ to: PeerAddress, index: number }]
        take(state.receive({ action: 'Upload', from: to, chunk: { name, count: COUNT, index, size }, data: new Uint8Array(65_536) }, 0))
      }
    }
    t.same([state.file(name)?.finished, late], [true, 0], `seed ${seed}`)
  }
})
