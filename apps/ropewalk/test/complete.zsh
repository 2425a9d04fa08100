# What zsh offers for each of the lines that are given, behind a folder with the script in a file "zsh": a terminal of its own is typed into,
# and compadd tells what was typed, and between FOUND and DNUOF what fits.
zmodload zsh/zpty
folder=$1
shift
# Reads until the shell has printed a word, and says all of it.
heard () { zpty -r shell output "*$1*" && print -rn -- "$output" || exit 1 }
zpty shell "zsh -f -i"
zpty -w shell "cd $folder; PS1=; autoload -Uz compinit; compinit -D -u; source $folder/zsh"
zpty -w shell 'compadd () { local -a found; builtin compadd -A found "$@"; print -r -- "TYPED ${(j: :)words} FOUND ${(j: :)found} DNUOF"; builtin compadd "$@" }'
# Before the line editor is there, the terminal itself takes ^U for "forget this line": what is typed too early is lost. It says when it is there,
# and ^O, typed behind a line, that all before it was read.
zpty -w shell 'told () { print -n TO; print LD }; zle -N told; bindkey "^O" told; zle-line-init () { print -n REA; print DY }; zle -N zle-line-init'
heard READY
for line in "$@"; do
  zpty -w -n shell "$line"$'\t\x15\x0f'
  heard TOLD
done
zpty -d shell
