import { duplexPair, turn } from '@ropewalk/testing'
import fc from 'fast-check'
import t from 'tap'
import { mdsftp, type BytesChannel } from '../src/index.ts'

/** One direction of one channel: what was written, and how much of it was read. The naive model of a stream. */
interface Direction { written: number[], read: number, ended: boolean, seenEnd: boolean }

/** A source that is fed by hand. */
class Hand {
  #waiting: ((result: IteratorResult<Uint8Array>) => void) | undefined
  readonly #queue: Array<Uint8Array | undefined> = []

  put (bytes: Uint8Array | undefined): void {
    this.#queue.push(bytes)
    this.#serve()
  }

  [Symbol.asyncIterator] (): AsyncIterator<Uint8Array> {
    return { next: () => new Promise(resolve => { this.#waiting = resolve; this.#serve() }) }
  }

  #serve (): void {
    if (this.#waiting === undefined || this.#queue.length === 0) return
    const waiting = this.#waiting
    this.#waiting = undefined
    const value = this.#queue.shift()
    waiting(value === undefined ? { done: true, value: undefined } : { done: false, value })
  }
}

interface End { channel: BytesChannel, hand: Hand, out: Direction, in: Direction, reading: Promise<void> | undefined, aborted: boolean, error: unknown }

t.test('random operations on both ends of many channels: no byte lost, doubled or out of order', async t => {
  const step = fc.record({
    what: fc.constantFrom('open', 'write', 'write', 'write', 'end', 'read', 'read', 'read', 'abort', 'turn' as const),
    pick: fc.nat(),
    amount: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 90_000 }))
  })
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), fc.option(fc.integer({ min: 1, max: 5000 }), { nil: undefined }), fc.boolean(), async (steps, chunkBytes, attach) => {
    const [left, right] = duplexPair({ attach, ...chunkBytes === undefined ? {} : { chunkBytes } })
    const sides = [mdsftp(left, { role: 'dialer' }), mdsftp(right, { role: 'acceptor' })] as const
    const incoming = sides.map(side => side[Symbol.asyncIterator]())
    const ends: End[] = []
    let stamp = 0

    const end = (channel: BytesChannel, out: Direction, into: Direction): End => {
      const hand = new Hand()
      const made: End = { channel, hand, out, in: into, reading: undefined, aborted: false, error: undefined }
      channel.sink(hand).catch(error => { made.error = error })
      ends.push(made)
      return made
    }
    const read = async (at: End): Promise<void> => {
      try {
        const { done, value } = await at.channel.source[Symbol.asyncIterator]().next()
        if (done === true) {
          t.ok(at.in.ended && at.in.read === at.in.written.length, 'an end only where there is one, and only behind every byte')
          at.in.seenEnd = true
          return
        }
        for (const byte of value.subarray()) if (byte !== at.in.written[at.in.read++]) throw new Error(`byte ${at.in.read - 1} is ${byte}, not ${at.in.written[at.in.read - 1]}`)
      } catch (error) {
        if (error instanceof Error && error.message.startsWith('byte ')) throw error
        at.error = error
      }
    }

    for (const { what, pick, amount } of steps) {
      if (what === 'open') {
        const from = pick % 2
        const near = await (sides[from] as typeof sides[0]).open()
        const { value: far } = await (incoming[1 - from] as typeof incoming[0]).next()
        const directions: [Direction, Direction] = [{ written: [], read: 0, ended: false, seenEnd: false }, { written: [], read: 0, ended: false, seenEnd: false }]
        end(near, directions[0], directions[1])
        end(far, directions[1], directions[0])
        continue
      }
      if (what === 'turn') { await turn(); continue }
      const at = ends[pick % Math.max(1, ends.length)]
      if (at === undefined || at.aborted) continue
      if (what === 'write' && !at.out.ended) {
        const bytes = new Uint8Array(amount).map(() => stamp++)
        for (const byte of bytes) at.out.written.push(byte)
        at.hand.put(bytes)
      } else if (what === 'end' && !at.out.ended) {
        at.out.ended = true
        at.hand.put(undefined)
      } else if (what === 'read' && at.reading === undefined && !at.in.seenEnd) {
        at.reading = read(at).finally(() => { at.reading = undefined })
      } else if (what === 'abort' && amount < 5) {
        at.aborted = true
        at.channel.abort(new Error('aborted by the test'))
      }
    }

    // Every channel that nobody aborted runs to its end, whole.
    for (const at of ends) if (!at.out.ended && !at.aborted) { at.out.ended = true; at.hand.put(undefined) }
    await Promise.all(ends.map(async at => {
      await at.reading
      while (!at.in.seenEnd && at.error === undefined && !at.aborted) await read(at)
    }))
    for (let index = 0; index < ends.length; index += 2) {
      const [near, far] = [ends[index] as End, ends[index + 1] as End]
      if (near.aborted || far.aborted) continue
      for (const each of [near, far]) t.ok(each.in.seenEnd && each.in.read === each.in.written.length && each.error === undefined, String(each.error))
    }
    sides[0].abort(new Error('done'))
    for (const each of incoming) await each.return?.()
  }), { numRuns: 60 })
})
