#!/usr/bin/env node
import './threads.ts'
import { live } from './lifetime.ts'
import { run } from './program.ts'

await live(run)
