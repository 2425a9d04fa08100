/** When to ask a silent peer whether it is there, and when to give it up. In a file of its own: these types are public, those of `ws` are not. */
export interface KeepAliveOptions {
  /** How long the peer may be silent before it is asked. */
  intervalMs: number
  /** How long it may then go on being silent. */
  timeoutMs: number
}
