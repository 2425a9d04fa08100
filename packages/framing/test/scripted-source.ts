type Step = { readonly chunk: Uint8Array } | { readonly end: true } | { readonly error: Error }

/** An async source that the test plays: it says when bytes arrive, and sees when they are asked for. */
export class ScriptedSource implements AsyncIterable<Uint8Array> {
  /** How often the next chunk was asked for. */
  pulls = 0
  returned = false
  readonly #steps: Step[] = []
  #wake: (() => void) | undefined

  send (chunk: Uint8Array): void {
    this.#play({ chunk })
  }

  end (): void {
    this.#play({ end: true })
  }

  fail (error: Error): void {
    this.#play({ error })
  }

  [Symbol.asyncIterator] (): AsyncIterator<Uint8Array> {
    return {
      next: async () => {
        this.pulls++
        while (this.#steps.length === 0) await new Promise<void>(resolve => { this.#wake = resolve })
        const step = this.#steps.shift() as Step
        if ('error' in step) throw step.error
        return 'end' in step ? { done: true, value: undefined } : { done: false, value: step.chunk }
      },
      return: async () => {
        this.returned = true
        return { done: true, value: undefined }
      }
    }
  }

  #play (step: Step): void {
    this.#steps.push(step)
    this.#wake?.()
  }
}
