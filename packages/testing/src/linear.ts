/** How the cost of something grows. */
export interface Growth {
  /** The k of cost ~ size^k: 1 is linear, 2 quadratic. */
  readonly exponent: number
  /** Least cost of several runs, for each size. */
  readonly costs: ReadonlyArray<{ readonly size: number, readonly cost: number }>
}

export interface LinearOptions {
  /** Inputs to measure, smallest first. Let the smallest take a millisecond, and the largest 8 times the smallest or more. */
  sizes: readonly number[]
  /** Runs of each size, of which the cheapest counts; 5. */
  runs?: number
}

/**
 * Fits the exponent of cost against input size. `measure` does the work for one size; it may return the cost itself (a
 * count of steps, say), else it is timed.
 */
export async function linear (measure: (size: number) => number | void | Promise<number | void>, options: LinearOptions): Promise<Growth> {
  const { sizes, runs = 5 } = options
  if (sizes.length < 2) throw new RangeError('at least two sizes make a slope')

  const costs = sizes.map(size => ({ size, cost: Infinity }))
  await measure(sizes[0] as number) // Unmeasured: compiles.
  // All sizes in turn, so that a busy moment of the machine does not fall on one size alone.
  for (let run = 0; run < runs; run++) {
    for (const entry of costs) {
      const started = performance.now()
      const counted = await measure(entry.size)
      entry.cost = Math.min(entry.cost, counted ?? performance.now() - started)
    }
  }
  return { exponent: slope(costs.map(({ size, cost }) => [Math.log(size), Math.log(Math.max(cost, Number.EPSILON))])), costs }
}

/** Least squares. */
function slope (points: Array<[number, number]>): number {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length
  const above = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  const below = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  return above / below
}
