# What zsh offers for each of the lines that are given, behind a folder with the script in a file "zsh": a terminal of its own is typed into,
# and compadd tells what was typed, and between FOUND and DNUOF what fits.
zmodload zsh/zpty
folder=$1
shift
zpty shell "zsh -f -i"
zpty -w shell "cd $folder; PS1=; autoload -Uz compinit; compinit -D -u; source $folder/zsh"
zpty -w shell 'compadd () { local -a found; builtin compadd -A found "$@"; print -r -- "TYPED ${(j: :)words} FOUND ${(j: :)found} DNUOF"; builtin compadd "$@" }'
zpty -w shell 'print -n REA; print DY'
zpty -r shell output '*READY*'
for line in "$@"; do
  zpty -w -n shell "$line"$'\t\x15'
done
zpty -w shell 'print -n E; print ND'
while zpty -r shell output; do
  print -rn -- "$output"
  [[ $output == *END* ]] && break
done
zpty -d shell
