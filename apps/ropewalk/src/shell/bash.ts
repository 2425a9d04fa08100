import { placeOf, places, quote, type Place } from './places.ts'
import type { CommandShape } from './shape.ts'

/** A script for bash: `source <(ropewalk completion bash)`. */
export function bashCompletion (shapes: readonly CommandShape[]): string {
  return `# Completion of ropewalk for bash, as "ropewalk completion bash" prints it.
_ropewalk () {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} at= words= i
  COMPREPLY=()
  for (( i = 1; i < COMP_CWORD; i++ )); do
    case "$at \${COMP_WORDS[i]}" in
${patterns(shapes).map(pattern => `      ${pattern}) at="$at \${COMP_WORDS[i]}" ;;`).join('\n')}
    esac
  done
  case "$at:$prev" in
${places(shapes).flatMap(place => values(place)).join('\n')}
  esac
  case "$at" in
${places(shapes).map(place => `    ${quote(place.at)})
      if [[ $cur == -* ]]; then words=${quote(place.options.flatMap(({ short, long }) => [long, ...short === undefined ? [] : [short]]).join(' '))}
      ${place.children.length > 0 ? `else words=${quote(place.children.map(({ word }) => word).join(' '))}` : place.words.length > 0 ? `else words=${quote(place.words.join(' '))}` : place.files ? 'else return' : 'else words='}
      fi ;;`).join('\n')}
  esac
  # What is no file must not be answered by readline with files.
  compopt +o default 2> /dev/null
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _ropewalk ropewalk
`
}

function patterns (shapes: readonly CommandShape[]): string[] {
  return shapes.filter(({ words }) => words.length > 0).map(shape => quote(placeOf(shape)))
}

/** What follows an option with a value: files are left to readline. */
function values ({ at, options }: Place): string[] {
  return options.filter(({ value }) => value !== undefined).map(({ short, long, value }) => {
    const pattern = [long, ...short === undefined ? [] : [short]].map(flag => quote(`${at}:${flag}`)).join('|')
    if (value?.kind === 'files') return `    ${pattern}) return ;;`
    return `    ${pattern}) compopt +o default 2> /dev/null; COMPREPLY=(${value?.kind === 'words' ? `$(compgen -W ${quote(value.words.join(' '))} -- "$cur")` : ''}); return ;;`
  })
}
