#!/usr/bin/env node
import { lint } from './lint.mjs'

const { text, refused, files } = await lint(process.cwd())

if (refused > 0) console.error(`${text}\n${refused} refused`)
if (files === 0) console.error('ropewalk-lint found no file to read: run it in the folder of a package')
process.exitCode = refused > 0 || files === 0 ? 1 : 0
