/**
 * What can be typed about who may do what.
 *
 * @module
 */
import { type Command, Option } from 'commander'
import { parseCount, parseDuration } from '../arguments.ts'
import { PROTOCOLS } from '../config/protocols.ts'
import type { AuditFlags, GrantFlags, JsonFlags } from '../commands/grants.ts'
import type { Context } from '../context.ts'
import type { Exit } from '../exit-codes.ts'
import { checked, examples, json } from '../options.ts'

/** Lines of the audit log unless somebody says otherwise. Ours: a screen. */
const LIMIT = 20

export function addGrants (program: Command, context: Context, done: (exit: Exit) => void): void {
  const give = json(program.command('grant'))
    .description('let a peer do something here')
    .argument('<peer>', 'its key ("ropewalk identity" prints it there), or the name of a paired machine')
    .addOption(new Option('--protocol <name>', 'what it may speak; * for all').choices([...PROTOCOLS, '*']).default('*'))
    .option('--on <directory>', 'the store, the inbox, or the folder of uploads or chunks that it is about (default: all)')
    .addOption(new Option('--access <kind>', 'whether it may change anything').choices(['read', 'write']).default('read'))
    .option('--for <time>', 'how long: 90s, 15m, 12h, 7d (default: until it is revoked)', checked(parseDuration))
    .action(async (peer: string, flags: GrantFlags) => done(await (await import('../commands/grants.ts')).grant(context, peer, flags)))
  examples(give, ['ropewalk grant sha256=9f86… --protocol mdsftp --for 7d', 'ropewalk grant desk --access write --on /srv/objects'], GRANT_HELP)

  const take = json(program.command('revoke'))
    .description('take a grant back')
    .argument('<grant>', 'its id, or the first digits of that')
    .action(async (id: string, flags: JsonFlags) => done(await (await import('../commands/grants.ts')).revoke(context, id, flags)))
  examples(take, ['ropewalk revoke 5f0c2a91', 'ropewalk revoke 5f --json'], REVOKE_HELP)

  const list = json(program.command('grants'))
    .description('list who may do what')
    .action(async (flags: JsonFlags) => done(await (await import('../commands/grants.ts')).grants(context, flags)))
  examples(list, ['ropewalk grants', 'ropewalk grants --json'])

  const log = json(program.command('audit'))
    .description('show the end of the audit log: who came, who was refused, and what was granted')
    .addOption(new Option('--limit <n>', 'how many lines').default(LIMIT).argParser(checked(parseCount)))
    .option('--refused', 'only who was refused', false)
    .action(async (flags: AuditFlags) => done(await (await import('../commands/grants.ts')).audit(context, flags)))
  examples(log, ['ropewalk audit', 'ropewalk audit --refused --limit 100 --json'])
}

const GRANT_HELP = `
A node that runs takes it from the next connection on. Who has a grant may do
what his grants say, and nothing else; of everybody else the configuration
decides, or with trust.only_granted nobody comes in.
`

const REVOKE_HELP = `
A node that runs ends what the grant alone had let in, within a second; whom
the configuration or another grant lets in stays.
`
