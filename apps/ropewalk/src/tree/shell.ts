/**
 * Commands that tell shells and readers of the manual what can be typed, all from the one tree.
 *
 * @module
 */
import { Argument, type Command } from 'commander'
import type { ManualFlags } from '../commands/shell.ts'
import type { Context } from '../context.ts'
import type { Exit } from '../exit-codes.ts'
import { examples } from '../options.ts'
import { SHELLS, type Shell } from '../shell/shells.ts'

export function addShell (program: Command, context: Context, done: (exit: Exit) => void): void {
  const complete = program.command('completion')
    .description('print a script that lets a shell complete commands, options and files')
    .addArgument(new Argument('<shell>', `which one: ${SHELLS.join(', ')}`).choices(SHELLS))
    .option('--json', 'print NDJSON, one JSON object a line', false)
    .action(async (shell: Shell, flags: { json: boolean }) => done((await import('../commands/shell.ts')).completion(context, program, shell, flags)))
  examples(complete, ['source <(ropewalk completion bash)', 'ropewalk completion fish > ~/.config/fish/completions/ropewalk.fish'], COMPLETION_HELP)

  const man = program.command('man')
    .description('print the manual page of a command, or write all of them')
    .argument('[command...]', 'the words of a command; of ropewalk itself where nothing is said')
    .option('-o, --output <directory>', 'write every page into this directory instead')
    .option('--json', 'print NDJSON, one JSON object a line', false)
    .action(async (words: string[], flags: ManualFlags) => done(await (await import('../commands/shell.ts')).manual(context, program, words, flags)))
  examples(man, ['ropewalk man casync make | man -l -', 'ropewalk man -o ~/.local/share/man/man1'])
}

const COMPLETION_HELP = `
To have it in every new shell:
  bash  echo 'source <(ropewalk completion bash)' >> ~/.bashrc
  zsh   echo 'source <(ropewalk completion zsh)' >> ~/.zshrc   (after compinit)
  fish  ropewalk completion fish > ~/.config/fish/completions/ropewalk.fish
`
