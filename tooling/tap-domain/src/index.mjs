/**
 * Which test an error belongs to that nobody has caught, for tap: in place of `async-hook-domain`, which follows every promise and every timer of a test to
 * know it exactly, and takes two thirds of the time of tests that have many. Here it is the test that was begun last and is not over: those of a file run one
 * after the other.
 *
 * @module
 */
import { executionAsyncResource } from 'node:async_hooks'

/** Begun and not over, the innermost last. */
let begun = []

/** Made where the work is to run whose errors it gets: within the scope of a resource that runs it later, or else from now on. */
export class Domain {
  constructor (onerror) {
    this.onerror = onerror
    const scope = executionAsyncResource()
    if (typeof scope.runInAsyncScope !== 'function') {
      begin(this)
      return
    }
    // Tests are made before those ahead of them have run.
    scope.runInAsyncScope = (...run) => {
      delete scope.runInAsyncScope
      begin(this)
      return scope.runInAsyncScope(...run)
    }
  }

  destroy () {
    this.destroyed = true
    begun = begun.filter(domain => domain !== this)
    if (begun.length === 0) process.off('uncaughtExceptionMonitor', caught)
  }
}

function begin (domain) {
  if (domain.destroyed === true) return
  if (begun.length === 0) process.on('uncaughtExceptionMonitor', caught)
  begun.push(domain)
}

/** Rejections that nobody handles come here too, unless somebody listens to those. */
function caught (error, origin) {
  if (process.hasUncaughtExceptionCaptureCallback() || process.listenerCount('uncaughtException') > 0) return
  begun.at(-1).onerror(error, origin)
  // It has an owner, and is no reason to end.
  process.setUncaughtExceptionCaptureCallback(() => { process.setUncaughtExceptionCaptureCallback(null) })
}
