/**
 * Options that casync has and ours has not. Who asks for what is done anyway is not troubled; all else is refused, with a reason and what to do.
 *
 * @module
 */
import { type Command, Option } from 'commander'
import { checked } from '../options.ts'

const NO = /^(no|n|false|off|0)$/i

/** Each with what is done anyway. */
const REFUSED: ReadonlyArray<readonly [flag: string, usual: RegExp, reason: string]> = [
  ['--reflink [yes|no]', NO, 'parts of files cannot be cloned from Node: chunks are copied, which --reflink=no says'],
  ['--hardlink [yes|no]', NO, 'files are never linked to those of a seed: they are copies, which --hardlink=no says'],
  ['--punch-holes [yes|no]', NO, 'holes cannot be punched from Node: zeros are written, which --punch-holes=no says'],
  ['--undo-immutable [yes|no]', NO, 'what chattr +i protects stays as it is, which --undo-immutable=no says: take it off before'],
  ['--uid-shift <n>', /^0$/, 'owners are kept as they are: --uid-shift=0'],
  ['--uid-range <n>', /^0$/, 'owners are kept as they are: --uid-range=0'],
  ['--cache-auto [yes|no]', NO, 'a cache has a name here: --cache=DIRECTORY']
]

/** What commands that make or extract take from scripts written for casync. Not in the help. */
export function likeCasync (command: Command): Command {
  for (const [flag, usual, reason] of REFUSED) {
    command.addOption(new Option(flag).hideHelp().preset('yes').argParser(checked((text: string) => {
      if (!usual.test(text)) throw new RangeError(reason)
      return text
    })))
  }
  return command
    .addOption(new Option('-v, --verbose').hideHelp())
    .addOption(new Option('--log-level <level>').hideHelp())
}
