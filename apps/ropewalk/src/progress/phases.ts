/**
 * What a command tells that goes through phases, one line for each: a live picture on a terminal, NDJSON with `--json`, and plain text
 * elsewhere, where only results and trouble are worth a line.
 *
 * @module
 */
import { escapeName } from '@ropewalk/receive'
import { formatBytes, formatDuration, formatEta, formatRate } from '../format.ts'
import { column, fit } from '../width.ts'
import { fitted, writeLines } from './lines.ts'
import { LiveScreen } from './live-screen.ts'
import { encodeLine, PROGRESS_INTERVAL_MS } from './ndjson.ts'
import { Rate } from './rate.ts'
import { painter, peakMemory, type ReportOptions, type Result } from './report.ts'
import { BAR, renderBar, type Paint } from './render-tty.ts'

const DRAW_INTERVAL_MS = 100
const NAME_COLUMNS = 8

/** One phase. Amounts are bytes. */
export interface Phase {
  add (bytes: number): void
  /** How much there will be, once it is known. */
  expect (bytes: number): void
  end (): void
}

interface Line extends Phase {
  readonly name: string
  readonly began: number
  readonly rate: Rate
  bytes: number
  size: number | undefined
  told: number
  endedAt: number | undefined
}

export type PhasesOptions = Pick<ReportOptions, 'stdout' | 'stderr' | 'env' | 'now' | 'json' | 'dataOnStdout'>

export class Phases {
  readonly #options: PhasesOptions
  readonly #screen: LiveScreen | undefined
  readonly #lines: Line[] = []
  readonly #began: number
  readonly #paint: Paint
  #timer: NodeJS.Timeout | undefined

  constructor (options: PhasesOptions) {
    const { stderr, json, env, now } = options
    this.#options = options
    this.#began = now()
    this.#paint = painter(stderr, env)
    this.#screen = stderr.isTTY === true && !json && env['TERM'] !== 'dumb' ? new LiveScreen(stderr) : undefined
  }

  /** Phases may overlap: chunks come while others are written. */
  begin (name: string, size?: number): Phase {
    const now = this.#options.now()
    const line: Line = {
      name, size, began: now, rate: new Rate(now), bytes: 0, told: -Infinity, endedAt: undefined,
      add: bytes => {
        line.bytes += bytes
        this.#tell(line, 'progress')
      },
      expect: bytes => { line.size = bytes },
      end: () => {
        line.endedAt = this.#options.now()
        this.#tell(line, 'finished')
      }
    }
    this.#lines.push(line)
    this.#tell(line, 'started')
    if (this.#screen !== undefined) this.#timer ??= setInterval(() => { this.#draw() }, DRAW_INTERVAL_MS).unref()
    return line
  }

  readonly note = (text: string): void => {
    if (this.#options.json) return
    this.#screen?.clear()
    writeLines(this.#options.stderr, text)
  }

  /** Something that was got over: a line for people, a fact for programs. */
  readonly trouble = (text: string): void => {
    if (this.#options.json) this.#out.write(encodeLine({ event: 'trouble', message: text }))
    else this.note(text)
  }

  result ({ record, row, lines }: Result): void {
    this.#screen?.clear()
    const out = this.#out
    if (this.#options.json) out.write(encodeLine({ ...record, elapsed_ms: Math.round(this.#options.now() - this.#began), peak_memory: peakMemory() }))
    else out.write(out.isTTY === true ? `${fitted(out, lines.join('\n'))}\n` : `${row.join('\t')}\n`)
  }

  /** Leaves on the screen what each phase came to, where that was something. */
  close (): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    if (this.#screen === undefined) return
    this.#draw(({ bytes }) => bytes > 0)
    this.#screen.keep()
  }

  get #out (): ReportOptions['stdout'] {
    return this.#options.dataOnStdout === true ? this.#options.stderr : this.#options.stdout
  }

  #tell (line: Line, event: 'started' | 'progress' | 'finished'): void {
    if (!this.#options.json) return
    const now = this.#options.now()
    if (event === 'progress' && now - line.told < PROGRESS_INTERVAL_MS) return
    line.told = now
    this.#out.write(encodeLine({ event, phase: line.name, bytes: line.bytes, size: line.size }))
  }

  #draw (isShown: (line: Line) => boolean = () => true): void {
    const screen = this.#screen
    if (screen === undefined) return
    const now = this.#options.now()
    screen.draw(this.#lines.filter(isShown).map(line => this.#render(line, screen.columns, now)))
  }

  #render ({ name, bytes, size, rate, began, endedAt }: Line, columns: number, now: number): string {
    const label = column(escapeName(name), NAME_COLUMNS)
    if (endedAt !== undefined) return fit(`  ${label}  ${formatBytes(bytes)} in ${formatDuration(endedAt - began)}`, columns - 1)
    rate.sample(bytes, now)
    const speed = rate.bytesPerSecond === undefined ? '' : `  ${formatRate(rate.bytesPerSecond)}`
    if (size === undefined) return fit(`  ${label}  ${formatBytes(bytes)}${speed}`, columns - 1)
    const share = size === 0 ? 1 : Math.min(1, bytes / size)
    const percent = `${Math.floor(share * 100)}%`.padStart(4)
    const left = `  ${formatEta(rate.secondsFor(Math.max(0, size - bytes)))} left`
    // Where all of it has no room, first what can be told from the rest is left out.
    const texts = [`${percent}  ${formatBytes(bytes)} of ${formatBytes(size)}${speed}${left}`, `${percent}${speed}${left}`, `${percent}${left}`]
    const longest = (room: number): string => fit(texts.find(text => text.length <= room) ?? percent, room)
    const rest = columns - 1 - 2 - NAME_COLUMNS - 2 - BAR
    return rest < 30 ? `  ${label}${longest(columns - 3 - NAME_COLUMNS)}` : `  ${label}  ${renderBar(share, this.#paint)}${longest(rest)}`
  }
}
