import { placeOf, places, quote, type Place } from './places.ts'
import type { CommandShape, WordShape } from './shape.ts'

/** A script for zsh: a file `_ropewalk` in a folder of `fpath`, or `source <(ropewalk completion zsh)`. */
export function zshCompletion (shapes: readonly CommandShape[]): string {
  return `#compdef ropewalk
# Completion of ropewalk for zsh, as "ropewalk completion zsh" prints it.
_ropewalk () {
  local at='' i
  local -a commands flags values
  for (( i = 2; i < CURRENT; i++ )); do
    case "$at \${words[i]}" in
${shapes.filter(({ words }) => words.length > 0).map(shape => `      (${quote(placeOf(shape))}) at="$at \${words[i]}" ;;`).join('\n')}
    esac
  done
  case "$at:\${words[CURRENT - 1]}" in
${places(shapes).flatMap(place => values(place)).join('\n')}
  esac
  case "$at" in
${places(shapes).map(place => `    (${quote(place.at)})
      flags=(${place.options.map(({ long, description }) => describe({ word: long, description })).join(' ')})
      commands=(${place.children.map(describe).join(' ')})
      values=(${place.words.map(quote).join(' ')})
      ${place.files ? '[[ $PREFIX == -* ]] || { _files; return }' : ':'} ;;`).join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then
    _describe -o option flags
  elif (( $#values )); then
    compadd -a values
  else
    _describe command commands
  fi
}
if [[ $funcstack[1] == _ropewalk ]]; then
  _ropewalk "$@"
else
  compdef _ropewalk ropewalk
fi
`
}

function values ({ at, options }: Place): string[] {
  return options.filter(({ value }) => value !== undefined).map(({ short, long, value }) => {
    const pattern = [long, ...short === undefined ? [] : [short]].map(flag => quote(`${at}:${flag}`)).join('|')
    const words = value?.kind === 'files' ? '_files' : value?.kind === 'words' ? `compadd ${value.words.map(quote).join(' ')}` : ':'
    return `    (${pattern}) ${words}; return ;;`
  })
}

/** A word and what it is, a colon between them. */
function describe ({ word, description }: WordShape): string {
  return quote(`${word.replaceAll(':', '\\:')}:${description}`)
}
