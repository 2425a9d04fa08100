// Runs after every install: tap's own class is generated for the plugins that .taprc names.
import { spawnSync } from 'node:child_process'

const built = spawnSync('tap', ['build'], { stdio: ['ignore', 'ignore', 'inherit'] })
process.exit(built.status ?? 1)
