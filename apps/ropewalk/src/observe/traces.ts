/**
 * A span for each transfer, where somebody has registered a provider of OpenTelemetry (`node --import`). Nothing otherwise.
 *
 * @module
 */
import type { Span } from '@opentelemetry/api'
import type { ActivityBoard } from '../activity/board.ts'
import { transfersIn } from '../activity/changes.ts'
import { version } from '../version.ts'

/** Traces transfers until the signal is aborted; returns at once where nobody would see them. */
export async function traceTransfers (board: ActivityBoard, signal: AbortSignal): Promise<void> {
  // Whoever registers anything leaves it here; without, nothing is loaded.
  if (!(Symbol.for('opentelemetry.js.api.1') in globalThis)) return
  const { isSpanContextValid, SpanStatusCode, trace } = await import('@opentelemetry/api')
  const tracer = trace.getTracer('ropewalk', version())
  // Without a provider spans have no identity: asking for one is how to know.
  const first = tracer.startSpan('ropewalk serve')
  first.end()
  if (!isSpanContextValid(first.spanContext())) return

  const spans = new Map<string, Span>()
  try {
    for await (const change of board.changes({ signal })) {
      for (const { id, protocol, direction, peer, name, size, bytes, state, startedAt, endedAt, error } of transfersIn(change, () => board.list(), spans)) {
        let span = spans.get(id)
        if (span === undefined) {
          span = tracer.startSpan(`${protocol} ${direction === 'in' ? 'receive' : 'send'}`, { startTime: startedAt, attributes: { 'ropewalk.transfer': id, 'ropewalk.protocol': protocol, 'ropewalk.direction': direction, 'file.name': name, ...size === undefined ? {} : { 'file.size': size }, ...peer === undefined ? {} : { 'network.peer': peer } } })
          spans.set(id, span)
        }
        if (state !== 'done' && state !== 'failed') continue
        spans.delete(id)
        span.setAttribute('ropewalk.bytes', bytes)
        if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: `${error.message} (${error.code})` })
        span.end(endedAt)
      }
    }
  } finally {
    for (const span of spans.values()) span.end()
  }
}
