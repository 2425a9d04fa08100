#!/usr/bin/env node
import { isHelperCall, runHelper } from './casync/remote-end.ts'
import { casyncArguments } from './casync/drop-in.ts'
import { live } from './lifetime.ts'
import { run } from './program.ts'

// What a casync on another machine starts through ssh; with any other verb, casync as far as it goes.
await live(async (argv, context) => isHelperCall(argv) ? await runHelper(argv, context) : await run(casyncArguments(argv), context))
