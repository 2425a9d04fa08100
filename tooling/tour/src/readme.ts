/**
 * The commands of a README, as it has them.
 *
 * @module
 */

export interface Step {
  /** In which shell: `1`, `2`. */
  readonly terminal: string
  /** As it stands there, its continuation lines with it. */
  readonly command: string
  /** Lines that it prints; `…` stands for anything. */
  readonly prints: readonly string[]
}

/** Blocks that begin with three backquotes and `sh tour N`. A line behind `#` is printed by the command above it; all others are typed. */
export function stepsOf (readme: string): Step[] {
  return Array.from(readme.matchAll(/^```sh tour (\d+)\n([^]*?)^```$/gm), ([, terminal = '', block = '']) => {
    const steps: Array<{ terminal: string, command: string, prints: string[] }> = []
    let open = false
    for (const line of block.split('\n').filter(line => line.trim() !== '')) {
      const last = steps.at(-1)
      if (line.startsWith('# ')) last?.prints.push(line.slice(2))
      else if (open && last !== undefined) last.command += `\n${line}`
      else steps.push({ terminal, command: line, prints: [] })
      open = line.endsWith('\\')
    }
    return steps
  }).flat()
}

/** True when `line` is what was announced. */
export function isLike (line: string, announced: string): boolean {
  return new RegExp(`^${announced.split('…').map(part => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*')}$`).test(line)
}
