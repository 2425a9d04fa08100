#!/usr/bin/env node
import { live } from './lifetime.ts'
import { run } from './program.ts'

await live(run)
