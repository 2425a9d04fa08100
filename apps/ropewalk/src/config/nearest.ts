/** The one of `words` that differs in the fewest letters, if that are few. */
export function nearest (word: string, words: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(word.length * 0.4))
  let best: { readonly word: string, readonly distance: number } | undefined
  for (const candidate of words) {
    const distance = differences(word, candidate)
    if (distance <= most && distance < (best?.distance ?? Infinity)) best = { word: candidate, distance }
  }
  return best?.word
}

/** Letters to insert, remove or replace. */
function differences (one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (let i = 1; i <= one.length; i++) {
    const next = [i]
    for (let j = 1; j <= other.length; j++) {
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, (row[j - 1] as number) + (one[i - 1] === other[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[other.length] as number
}
