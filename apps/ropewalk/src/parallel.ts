/** Calls `work` for every item, in their order, with at most `width` calls under way. Stops beginning new ones when the signal aborts. */
export async function inParallel<Item> (items: readonly Item[], width: number, signal: AbortSignal, work: (item: Item, index: number) => Promise<void>): Promise<void> {
  let next = 0
  const lanes = Array.from({ length: Math.min(width, items.length) }, async () => {
    while (next < items.length && !signal.aborted) {
      const index = next++
      await work(items[index] as Item, index)
    }
  })
  await Promise.all(lanes)
}
