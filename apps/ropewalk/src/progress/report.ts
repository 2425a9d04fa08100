/**
 * What a command tells while it runs and when something is done. Fed by the TransferEvents of the library; knows three ways to
 * show them: a live picture on a terminal, plain lines elsewhere, NDJSON with `--json`.
 *
 * Results go to standard output, everything else to standard error.
 *
 * @module
 */
import { styleText } from 'node:util'
import type { TransferEvent } from '@ropewalk/interface'
import { escapeName } from '@ropewalk/receive'
import { Gathered } from './gathered.ts'
import { fitted, linesOf, writeLines } from './lines.ts'
import { LiveScreen, type Terminal } from './live-screen.ts'
import { encodeLine, Ndjson } from './ndjson.ts'
import { Plan, type Expected, type Totals } from './plan.ts'
import { Rate } from './rate.ts'
import { renderEvent, renderFailure, renderSummary } from './render-plain.ts'
import { renderTty, type Paint } from './render-tty.ts'

/** Between two pictures. Ours: more is not seen, less is jerky. */
const DRAW_INTERVAL_MS = 100

export interface Output extends Terminal {
  readonly isTTY?: boolean | undefined
}

export interface ReportOptions {
  readonly stdout: Output
  readonly stderr: Output
  readonly env: NodeJS.ProcessEnv
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** `--json`. */
  readonly json: boolean
  /** Standard output carries data: results go to standard error. */
  readonly dataOnStdout?: boolean | undefined
  readonly expected?: Expected | undefined
  /** What the live picture calls a transfer, where its name is too long for a line. */
  readonly label?: ((name: string) => string) | undefined
}

/** One thing that came about, in the three forms in which it can be shown. */
export interface Result {
  readonly record: Readonly<Record<string, unknown>>
  /** For programs: written with tabs between them. */
  readonly row: readonly string[]
  /** For a person at a terminal. */
  readonly lines: readonly string[]
}

export class Report {
  readonly #options: ReportOptions
  readonly #plan: Plan
  readonly #ndjson = new Ndjson()
  #began: number
  #rate: Rate
  readonly #screen: LiveScreen | undefined
  readonly #paint: Paint
  /** Where results go. */
  readonly #out: Output
  #timer: NodeJS.Timeout | undefined
  /** Lines of `--json`, and lines for people of what has moved. */
  readonly #said: Gathered
  readonly #told: Gathered
  /** Bytes that count and have not moved: they were there before. */
  #present = 0

  constructor (options: ReportOptions) {
    const { stderr, json, now, env } = options
    this.#options = options
    this.#out = options.dataOnStdout === true ? options.stderr : options.stdout
    this.#said = new Gathered(this.#out, now)
    this.#told = new Gathered(stderr, now)
    this.#plan = new Plan(options.expected)
    this.#began = now()
    this.#rate = new Rate(this.#began)
    this.#screen = stderr.isTTY === true && !json && env['TERM'] !== 'dumb' ? new LiveScreen(stderr) : undefined
    this.#paint = painter(stderr, env)
  }

  get totals (): Totals {
    return this.#plan.totals()
  }

  readonly event = (event: TransferEvent): void => {
    const name = escapeName(this.#options.label?.(event.name) ?? event.name)
    const counted = this.#plan.countedOf(event.transfer)
    this.#plan.apply({ ...event, name })
    if (event.event === 'started' && event.present !== undefined) {
      this.present(Math.max(0, event.present - counted))
      this.#plan.apply({ ...event, event: 'progress', name, bytes: event.present })
    }
    if (this.#options.json) {
      const line = this.#ndjson.event(event, this.#options.now())
      if (line !== undefined) this.#said.add(line)
      return
    }
    const shown = { ...event, name: escapeName(event.name) }
    // Whoever pressed Ctrl-C need not be told of every file that it ended.
    if (event.event === 'failed' && event.code === 'ERR_USER_INTERRUPT') return
    if (this.#screen === undefined) {
      const line = renderEvent(event, shown.name)
      if (line !== undefined) this.#told.add(linesOf(this.#options.stderr, line))
      return
    }
    if (event.event === 'failed') this.note(this.#paint('red', renderFailure(event.code, event.message, shown.name)))
    // Drawn a moment later: what is over by then need not flash.
    this.#timer ??= setInterval(() => this.#draw(), DRAW_INTERVAL_MS).unref()
  }

  result ({ record, row, lines }: Result): void {
    const out = this.#out
    if (this.#options.json) {
      this.#said.add(encodeLine(record))
      return
    }
    this.#screen?.clear()
    this.#told.flush()
    out.write(out.isTTY === true ? `${fitted(out, lines.join('\n'))}\n` : `${row.join('\t')}\n`)
  }

  /** One fact among the lines of `--json`. */
  fact (record: Readonly<Record<string, unknown>>): void {
    this.#said.add(encodeLine(record))
  }

  /** A line for people. */
  readonly note = (text: string): void => {
    this.#screen?.clear()
    this.#told.flush()
    writeLines(this.#options.stderr, text)
  }

  /** So many bytes of what is told to have moved were there before: no rate is reckoned of them. */
  readonly present = (bytes: number): void => { this.#present += bytes }

  /** Until now somebody was waited for: that is no part of how long it took. */
  waited (): void {
    this.#began = this.#options.now()
    this.#rate = new Rate(this.#began)
  }

  /** What it came to, in one line. */
  summary (channels: number): void {
    const elapsedMs = this.#options.now() - this.#began
    const { finished, failed, bytes } = this.totals
    if (this.#options.json) {
      this.#said.add(encodeLine({ event: 'summary', files: finished, failed, bytes, elapsed_ms: Math.round(elapsedMs), channels, peak_memory: peakMemory() }))
      return
    }
    this.note(this.#paint('bold', renderSummary(this.totals, elapsedMs, this.#present)))
  }

  /** Lines of what moves may come a moment later from now on, until `close`. */
  gather (): void {
    this.#said.waits = this.#told.waits = true
  }

  /** Ends the picture, and writes what was gathered. */
  close (): void {
    this.#said.waits = this.#told.waits = false
    this.#said.flush()
    this.#told.flush()
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#screen?.clear()
  }

  #draw (): void {
    const screen = this.#screen
    if (screen === undefined) return
    this.#rate.sample(this.totals.bytes - this.#present, this.#options.now())
    screen.draw(renderTty(this.#plan, this.#rate, { columns: screen.columns, rows: screen.rows, paint: this.#paint }))
  }
}

/** Colours where the terminal has them and nobody minds. */
export function painter (stream: Output, env: NodeJS.ProcessEnv): Paint {
  return hasColour(stream, env) ? (style, text) => styleText(style, text, { validateStream: false }) : (_, text) => text
}

/** https://no-color.org: any value but the empty one. */
function hasColour (stream: Output, env: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
}

/** Most bytes of memory that this process has had, as the system counts. */
export function peakMemory (): number {
  return process.resourceUsage().maxRSS * 1024
}
