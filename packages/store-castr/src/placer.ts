import { ThreadedOutlet, type Outlet, type OutletOptions } from './outlet.ts'

/** An outlet without a store: threads that write what comes from elsewhere, and from files, to its places in a file. */
export function placer ({ file, digest = 'sha512-256' }: OutletOptions): Outlet {
  return new ThreadedOutlet({ root: undefined, suffix: undefined, file, digest })
}
