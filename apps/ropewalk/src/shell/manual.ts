/**
 * Manual pages in the macros of man(7), which both groff and mandoc read.
 *
 * @module
 */
import type { CommandShape, WordShape } from './shape.ts'

/** `ropewalk-casync-make`. */
export function pageName ({ words }: CommandShape): string {
  return ['ropewalk', ...words].join('-')
}

/** The page of one command, for section 1. `version` stands in its foot. */
export function manualPage (shape: CommandShape, version: string): string {
  const { words, description, usage, takes, children, options, examples, notes, exits } = shape
  const name = pageName(shape)
  return [
    `.TH ${roff(name.toUpperCase())} 1 "" "ropewalk ${roff(version)}" "Ropewalk"`,
    '.SH NAME',
    `${roff(name)} \\- ${text(description)}`,
    '.SH SYNOPSIS',
    `.B ${text(usage)}`,
    '.SH DESCRIPTION',
    `${text(capital(description))}.`,
    ...paragraphs(notes),
    ...list('ARGUMENTS', takes.map(({ word, description }) => [`\\fI${roff(word)}\\fR`, description])),
    ...list('COMMANDS', children.filter(({ word }) => word !== 'help').map(({ word, description }) => [`\\fB${roff(word)}\\fR`, description])),
    ...list('OPTIONS', options.map(({ flags, description }) => [`\\fB${roff(flags)}\\fR`, description])),
    ...examples.length === 0 ? [] : ['.SH EXAMPLES', '.nf', ...examples.map(text), '.fi'],
    ...exits === '' ? [] : ['.SH EXIT STATUS', '.nf', ...exits.split('\n').map(line => text(line.trim())), '.fi'],
    ...seeAlso(words, children),
    ''
  ].join('\n')
}

function list (heading: string, entries: ReadonlyArray<readonly [string, string]>): string[] {
  return entries.length === 0 ? [] : [`.SH ${heading}`, ...entries.flatMap(([term, description]) => ['.TP', term, text(capital(description))])]
}

/** Lines that begin with a space, or stand alone, are kept as they are; others are filled. */
function paragraphs (notes: string): string[] {
  return notes === '' ? [] : notes.split(/\n{2,}/).flatMap(paragraph => {
    const lines = paragraph.split('\n')
    return lines.some(line => line.startsWith(' ')) ? ['.PP', '.nf', ...lines.map(text), '.fi'] : ['.PP', ...lines.map(text)]
  })
}

function seeAlso (words: readonly string[], children: readonly WordShape[]): string[] {
  const parent = words.length === 0 ? [] : [['ropewalk', ...words.slice(0, -1)].join('-')]
  const pages = [...parent, ...children.filter(({ word }) => word !== 'help').map(({ word }) => ['ropewalk', ...words, word].join('-'))]
  return pages.length === 0 ? [] : ['.SH SEE ALSO', pages.map(page => `.BR ${roff(page)} (1)`).join(' ,\n')]
}

/** A line of text: neither a dot nor a quote at its beginning is a request. */
function text (line: string): string {
  return roff(line).replace(/^(?=[.'])/, '\\&')
}

/** What roff would read as something else: backslashes, and dashes and quotes that somebody may copy. */
function roff (text: string): string {
  return text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq').replaceAll('`', '\\(ga').replaceAll('^', '\\(ha').replaceAll('~', '\\(ti')
    .replaceAll('…', '\\&...').replace(/[^\x00-\x7f]/gu, character => `\\[u${(character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}]`)
}

function capital (text: string): string {
  return `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}`
}
