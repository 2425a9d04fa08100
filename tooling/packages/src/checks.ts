/**
 * A list of checks, each of which passes or says why not.
 *
 * @module
 */
export class Checks {
  passed = 0
  failed = 0

  /** Runs one check, tells how it went, and never rejects. `what` is a sentence. */
  async check<T> (what: string, work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      const result = await work()
      this.passed++
      console.log(`ok - ${what}`)
      return result
    } catch (error) {
      this.failed++
      console.log(`not ok - ${what}\n${indent(error instanceof Error ? error.message : String(error))}`)
      return undefined
    }
  }
}

function indent (text: string): string {
  return text.split('\n').map(line => `  ${line}`).join('\n')
}
