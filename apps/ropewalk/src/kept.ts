/**
 * What is left of a command that was interrupted, in words.
 *
 * @module
 */

/** `no file is whole yet`, `1 of 2 files is whole`. */
export function soFar (count: number, total: number, done: 'whole' | 'stored'): string {
  if (total === 1) return count === 1 ? `the file is ${done}` : `the file is not ${done} yet`
  return count === 0 ? `no file is ${done} yet` : `${count} of ${total} files ${count === 1 ? 'is' : 'are'} ${done}`
}

/** The same where nothing is kept of what is not done. `again` says how to get it: `it`, `them`, or `the rest`. */
export function keptWhole (count: number, total: number, done: 'whole' | 'stored', again: (what: string) => string): string {
  if (count === total) return total === 1 ? `the file is ${done}, and stays` : `all ${total} files are ${done}, and stay`
  if (count === 0) return `${total === 1 ? 'nothing of the file is kept' : `no file is ${done} yet, and nothing is kept`}. ${again(total === 1 ? 'it' : 'them')}`
  return `${soFar(count, total, done)} and ${count === 1 ? 'stays' : 'stay'}; nothing is kept of the other${total - count === 1 ? '' : 's'}. ${again('the rest')}`
}
