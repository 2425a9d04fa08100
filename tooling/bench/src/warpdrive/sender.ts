/**
 * Who sends in suite `warpdrive`: a program that waits for what comes, and one that sends it.
 *
 * @module
 */
import type { Command } from '../transfer/mover.ts'

/** Where one measurement keeps its things; made for it, removed after it. */
export interface Route {
  /** What is sent: a folder, or a file. */
  readonly source: string
  /** The files of it, relative to the folder that it lies in. */
  readonly names: readonly string[]
  /** Where it arrives, under its own name. An empty directory. */
  readonly inbox: string
  /** A file without bytes, to be sent for what it takes to start. */
  readonly nothing: string
  /** Keys and the like. An empty directory. */
  readonly state: string
}

/** Somebody who waits for what comes. */
export interface Waiting {
  /** Its process, whose CPU seconds and memory count, with those of its children. */
  readonly pid: number | undefined
  readonly send: Command
  stop (): Promise<void>
}

export interface Sender {
  readonly about: string
  /** Why it cannot run here; undefined when it can. */
  readonly missing?: (() => Promise<string | undefined>) | undefined
  /** Debian packages that `--install` gets. */
  readonly packages?: readonly string[] | undefined
  /** By what the bytes and files are divided for who would take all day. */
  readonly share?: number | undefined
  receive (route: Route): Promise<Waiting>
}
