/**
 * Times to the nanosecond. Node has them as a floating-point number of seconds, which nowadays has room for a quarter of a microsecond, and `touch`
 * sets one at a time: for a tree in which each file has its own that is a process a file. Perl, which is part of most systems, asks the kernel itself:
 * one process for a whole tree.
 *
 * It finds what it sets by a descriptor of this process (`/proc/PID/fd/N/name`), and follows no link behind that. What it could not set, or is not there to set,
 * is given back: `touch` does it.
 *
 * @module
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { AbortOptions } from '@ropewalk/interface'
import { bytesOf } from './path.ts'

/** Of one name in a folder, `.` for the folder itself. In nanoseconds since 1970. */
export interface NodeTime {
  readonly name: string
  readonly mtime: bigint
}

export class Times {
  readonly #options: AbortOptions
  #perl: Perl | undefined
  #useless = CALLS[process.arch] === undefined

  constructor (options: AbortOptions) {
    this.#options = options
  }

  /** Sets them in the folder at `path`, which begins with `/proc/self`. Resolves to those that are not set. */
  async set (path: string, times: readonly NodeTime[]): Promise<readonly NodeTime[]> {
    const left: NodeTime[] = []
    for (let at = 0; at < times.length; at += BATCH) {
      const some = times.slice(at, at + BATCH)
      if (!this.#useless) this.#perl ??= new Perl(CALLS[process.arch] as number, this.#options)
      const set = this.#useless ? undefined : await this.#perl?.set(path.replace('/proc/self', `/proc/${process.pid}`), some)
      const missed = some.filter((_, i) => set?.[i] !== DONE)
      // Whoever may not look into this process may never.
      if (missed.length === some.length) this.#useless = true
      left.push(...missed)
    }
    return left
  }

  close (): void {
    this.#perl?.close()
    this.#perl = undefined
  }
}

/** Names that are given at a time, and how long they may take. Ours. */
const BATCH = 4096
const DEADLINE_MS = 60_000

/** The number of `utimensat`, where a pointer has 64 bits. From the tables of Linux. */
const CALLS: Readonly<Partial<Record<string, number>>> = { x64: 280, arm64: 88, riscv64: 88, loong64: 88, ppc64: 304, s390x: 315 }

const DONE = 49

/** A question is the number of names and what stands before them; then of each its length, seconds, nanoseconds and bytes. The answer has a digit for each. */
const PROGRAM = String.raw`
exit 1 if length pack('L!', 0) != 8;
my $call = $ARGV[0] + 0;
binmode STDIN; binmode STDOUT; $| = 1;
sub take { my $n = shift; my $b = ''; while (length $b < $n) { read(STDIN, $b, $n - length $b, length $b) or exit 0 } $b }
while (1) {
  my ($count, $length) = unpack 'VV', take(8);
  my $before = take($length);
  my $done = '';
  for (1 .. $count) {
    my ($bytes, $seconds, $rest) = unpack 'Vq<V', take(16);
    my $path = $before . take($bytes);
    my $times = pack 'qqqq', $seconds, $rest, $seconds, $rest;
    $done .= syscall($call, -100, $path, $times, 256) == 0 ? 1 : 0;
  }
  print $done;
}`

class Perl {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  #answer = Buffer.alloc(0)
  #ended = false
  #wake: (() => void) | undefined

  constructor (call: number, { signal }: AbortOptions) {
    this.#child = spawn('perl', ['-e', PROGRAM, String(call)], { stdio: ['pipe', 'pipe', 'ignore'], env: { PATH: process.env['PATH'] }, signal })
    const end = (): void => {
      this.#ended = true
      this.#wake?.()
    }
    this.#child.on('error', end)
    this.#child.on('close', end)
    this.#child.stdin.on('error', () => {})
    this.#child.stdout.on('data', (bytes: Buffer) => {
      this.#answer = Buffer.concat([this.#answer, bytes])
      this.#wake?.()
    })
  }

  /** A digit for each, `1` where it is set; fewer where nobody answers any more. */
  async set (path: string, times: readonly NodeTime[]): Promise<Uint8Array> {
    const before = Buffer.from(`${path}/`)
    const head = Buffer.alloc(8)
    head.writeUInt32LE(times.length)
    head.writeUInt32LE(before.length, 4)
    this.#answer = Buffer.alloc(0)
    this.#child.stdin.write(Buffer.concat([head, before, ...times.flatMap(encode)]))
    const tooLong = setTimeout(() => { this.#child.kill('SIGKILL') }, DEADLINE_MS)
    while (this.#answer.length < times.length && !this.#ended) await new Promise<void>(resolve => { this.#wake = resolve })
    clearTimeout(tooLong)
    return this.#answer
  }

  close (): void {
    this.#child.stdin.end()
    this.#child.stdout.destroy()
  }
}

function encode ({ name, mtime }: NodeTime): [Buffer, Buffer] {
  const bytes = bytesOf(name)
  const head = Buffer.alloc(16)
  const rest = BigInt.asUintN(64, mtime % SECOND + SECOND) % SECOND
  head.writeUInt32LE(bytes.length)
  head.writeBigInt64LE((mtime - rest) / SECOND, 4)
  head.writeUInt32LE(Number(rest), 12)
  return [head, bytes]
}

const SECOND = 1_000_000_000n
