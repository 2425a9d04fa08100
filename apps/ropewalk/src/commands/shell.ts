import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { fileError, RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { encodeLine } from '../progress/ndjson.ts'
import { bashCompletion } from '../shell/bash.ts'
import { fishCompletion } from '../shell/fish.ts'
import { manualPage, pageName } from '../shell/manual.ts'
import { shapesOf, type CommandShape } from '../shell/shape.ts'
import type { Shell } from '../shell/shells.ts'
import { zshCompletion } from '../shell/zsh.ts'
import { version } from '../version.ts'

export interface ManualFlags {
  readonly output?: string | undefined
  readonly json: boolean
}

const SCRIPTS: Readonly<Record<Shell, (shapes: readonly CommandShape[]) => string>> = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }

/** Prints the script of one shell. */
export function completion ({ stdout }: Context, program: Command, shell: Shell, { json }: { readonly json: boolean }): Exit {
  const script = SCRIPTS[shell](shapesOf(program))
  stdout.write(json ? encodeLine({ event: 'completion', shell, script }) : script)
  return Exit.done
}

/** Prints one manual page, or writes all of them. */
export async function manual ({ stdout }: Context, program: Command, words: readonly string[], { output, json }: ManualFlags): Promise<Exit> {
  const shapes = shapesOf(program)
  if (output !== undefined) {
    await mkdir(output, { recursive: true }).catch((error: unknown) => { throw unwritable(output, error) })
    for (const shape of shapes) {
      const path = join(output, `${pageName(shape)}.1`)
      await writeFile(path, manualPage(shape, version())).catch((error: unknown) => { throw unwritable(path, error) })
      stdout.write(json ? encodeLine({ event: 'page', path }) : `${path}\n`)
    }
    return Exit.done
  }
  const shape = shapes.find(shape => shape.words.join(' ') === words.join(' '))
  if (shape === undefined) throw new RopewalkError('ERR_USAGE', 'there is no such command', { text: words.join(' '), advice: ['"ropewalk --help" lists them.'] })
  const page = manualPage(shape, version())
  stdout.write(json ? encodeLine({ event: 'page', name: pageName(shape), page }) : page)
  return Exit.done
}

function unwritable (path: string, error: unknown): RopewalkError {
  return new RopewalkError('ERR_FILE', `cannot be written: ${fileError(error).message}`, { text: path, cause: error })
}
