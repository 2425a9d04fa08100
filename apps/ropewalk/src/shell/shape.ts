/**
 * What can be typed, read off the one command tree: completions and manual pages are made of it.
 *
 * @module
 */
import type { EventEmitter } from 'node:events'
import type { Argument, Command, Option } from 'commander'

export interface CommandShape {
  /** The words that lead to it: `['casync', 'make']`; none for the program itself. */
  readonly words: readonly string[]
  readonly description: string
  /** As `--help` shows it, without "Usage:". */
  readonly usage: string
  readonly children: readonly WordShape[]
  readonly takes: readonly ArgumentShape[]
  readonly options: readonly OptionShape[]
  /** Lines under "Examples:" in the help. */
  readonly examples: readonly string[]
  /** Whatever else the help has to say, and what the program exits with. */
  readonly notes: string
  readonly exits: string
}

export interface WordShape {
  readonly word: string
  readonly description: string
}

/** What stands behind a command or an option: files, one of a few words, or something that only its writer knows. */
export type ValueShape = { readonly kind: 'files' } | { readonly kind: 'words', readonly words: readonly string[] } | { readonly kind: 'other' }

export interface ArgumentShape extends WordShape {
  readonly value: ValueShape
}

export interface OptionShape {
  /** `-o, --output <path>`. */
  readonly flags: string
  readonly short: string | undefined
  readonly long: string
  readonly description: string
  /** Undefined where nothing follows, or need not. */
  readonly value: ValueShape | undefined
}

/** Every command, a parent before its children. */
export function shapesOf (program: Command): CommandShape[] {
  return [shapeOf(program, []), ...program.commands.flatMap(command => below(command, [command.name()]))]
}

/** Names of arguments and of values of options that are paths. */
const PATHS: ReadonlySet<string> = new Set(['file', 'directory', 'path', 'index', 'to', 'first', 'second'])

/** How the program's own exit codes begin in the help. */
const EXITS = '\nExit codes:\n'

function below (command: Command, words: readonly string[]): CommandShape[] {
  return [shapeOf(command, words), ...command.commands.flatMap(child => below(child, [...words, child.name()]))]
}

function shapeOf (command: Command, words: readonly string[]): CommandShape {
  const help = command.createHelp()
  const { examples, notes, exits } = afterwards(command)
  return {
    words,
    description: command.description(),
    usage: help.commandUsage(command).trim(),
    children: help.visibleCommands(command).map(child => ({ word: child.name(), description: child.description() })),
    takes: help.visibleArguments(command).map(argumentShape),
    options: help.visibleOptions(command).map(option => ({
      flags: option.flags, short: option.short, long: option.long ?? option.flags, description: help.optionDescription(option), value: option.required || option.argChoices !== undefined ? valueOf(nameIn(option), option.argChoices) : undefined
    })),
    examples,
    notes,
    exits
  }
}

function argumentShape (argument: Argument): ArgumentShape {
  return { word: argument.name(), description: argument.description, value: valueOf(argument.name(), argument.argChoices) }
}

function valueOf (name: string, choices: readonly string[] | undefined): ValueShape {
  if (choices !== undefined) return { kind: 'words', words: choices }
  return { kind: name.split(':').some(part => PATHS.has(part)) ? 'files' : 'other' }
}

/** `path` in `-o, --output <path>`. */
function nameIn ({ flags }: Option): string {
  return /[<[](.+?)(?:\.\.\.)?[>\]]/.exec(flags)?.[1] ?? ''
}

/** What stands in the help behind the options. */
function afterwards (command: Command): Pick<CommandShape, 'examples' | 'notes' | 'exits'> {
  const told: string[] = []
  // Commander's own types do not say that a command is an EventEmitter, as its documentation does.
  const emitter = command as unknown as EventEmitter
  emitter.emit('afterHelp', { error: false, command, write: (text: string) => { told.push(text) } })
  const [before = '', exits = ''] = told.join('').split(EXITS)
  const [, examples = '', notes = ''] = /^\s*Examples:\n((?: {2}.*\n?)*)([^]*)$/.exec(before) ?? []
  return { examples: examples.split('\n').map(line => line.replace(/^ {2}/, '')).filter(line => line !== ''), notes: notes.trim(), exits: exits.trimEnd() }
}
