import { placeOf, places, type Place } from './places.ts'
import type { CommandShape, OptionShape } from './shape.ts'

/** A script for fish: `ropewalk completion fish > ~/.config/fish/completions/ropewalk.fish`. */
export function fishCompletion (shapes: readonly CommandShape[]): string {
  return `# Completion of ropewalk for fish, as "ropewalk completion fish" prints it.
function __ropewalk_at
  set -l at ''
  for word in (commandline -opc)[2..-1]
    switch "$at $word"
      case ${shapes.filter(({ words }) => words.length > 0).map(shape => quote(placeOf(shape))).join(' ')}
        set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
complete -c ropewalk -f
${places(shapes).flatMap(place => linesOf(place)).join('\n')}
`
}

function linesOf ({ at, children, options, words, files }: Place): string[] {
  const when = `complete -c ropewalk -n ${quote(`__ropewalk_at ${quote(at)}`)}`
  return [
    ...children.map(({ word, description }) => `${when} -a ${quote(word)} -d ${quote(description)}`),
    ...words.map(word => `${when} -a ${quote(word)}`),
    ...files ? [`${when} -F`] : [],
    ...options.map(option => `${when} ${flagsOf(option)} -d ${quote(option.description)}`)
  ]
}

function flagsOf ({ short, long, value }: OptionShape): string {
  const names = [`-l ${quote(long.replace(/^--/, ''))}`, ...short === undefined ? [] : [`-s ${quote(short.replace('-', ''))}`]].join(' ')
  if (value === undefined) return names
  if (value.kind === 'files') return `${names} -r -F`
  return `${names} -x${value.kind === 'words' ? ` -a ${quote(value.words.join(' '))}` : ''}`
}

/** Of fish: within single quotes only a quote and a backslash are special. */
function quote (text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
