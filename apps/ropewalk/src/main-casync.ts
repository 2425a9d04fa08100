#!/usr/bin/env node
import { isHelperCall, runHelper } from './casync/remote-end.ts'
import { casyncArguments } from './casync/drop-in.ts'
import { live } from './lifetime.ts'

// What a casync on another machine starts through ssh; with any other verb, casync as far as it goes. Whoever serves waits for no command line to be loaded.
await live(async (argv, context) => isHelperCall(argv) ? await runHelper(argv, context) : await (await import('./program.ts')).run(casyncArguments(argv), context))
