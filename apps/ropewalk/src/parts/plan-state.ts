/**
 * How a file is split over nodes: in proportion to the room that each says it has, in whole mebibytes, and into no more
 * parts than are worth a connection. Pure.
 *
 * @module
 */

/** Bytes of a part, but for the last: a smaller one is not worth a connection. Ours. */
export const MIN_PART_BYTES = 1_048_576

export interface Room {
  /** Which of the nodes that were named. */
  readonly node: number
  /** Bytes that it says it has left: a hint, not a promise. */
  readonly bytes: number
}

export interface Share {
  readonly node: number
  readonly offset: number
  readonly size: number
}

/** The shares of `size` bytes; undefined where the rooms together are too small. */
export function planShares (size: number, rooms: readonly Room[]): Share[] | undefined {
  const most = Math.max(1, Math.ceil(size / MIN_PART_BYTES))
  // Those with most room, the first named first among equals.
  const byRoom = rooms.toSorted((a, b) => b.bytes - a.bytes || a.node - b.node)
  for (let count = Math.min(most, byRoom.length); count <= byRoom.length; count++) {
    const chosen = byRoom.slice(0, count)
    const room = chosen.reduce((sum, { bytes }) => sum + bytes, 0)
    if (room >= size) return split(size, chosen, room)
  }
  return undefined
}

function split (size: number, rooms: readonly Room[], room: number): Share[] {
  // Of nothing there is one part, and some node has it.
  if (size === 0) return [{ node: (rooms[0] as Room).node, offset: 0, size }]
  const sizes = rooms.map(({ bytes }) => Math.min(bytes, Math.floor(size * (bytes / room) / MIN_PART_BYTES) * MIN_PART_BYTES))
  let left = size - sizes.reduce((sum, each) => sum + each, 0)
  for (let index = 0; left > 0 && index < rooms.length; index++) {
    const more = Math.min(left, (rooms[index] as Room).bytes - (sizes[index] as number))
    sizes[index] = (sizes[index] as number) + more
    left -= more
  }
  let offset = 0
  // In the order in which the nodes were named.
  const shares = rooms.map(({ node }, index) => ({ node, size: sizes[index] as number })).filter(({ size: bytes }) => bytes > 0)
  return shares.toSorted((a, b) => a.node - b.node).map(({ node, size: bytes }) => {
    const share = { node, offset, size: bytes }
    offset += bytes
    return share
  })
}
