/**
 * What can be typed about what a node does: `status`, `history`, `why`, `retry`.
 *
 * @module
 */
import { type Command, Option } from 'commander'
import { parseCount, parseDuration, parseSeconds } from '../arguments.ts'
import type { HistoryFlags, StatusFlags, WhyFlags } from '../commands/activity.ts'
import type { DoctorFlags } from '../commands/doctor.ts'
import type { RetryFlags } from '../commands/offers.ts'
import type { Context } from '../context.ts'
import type { Exit } from '../exit-codes.ts'
import { checked, examples, json } from '../options.ts'
import { DANGEROUS, discovering, RETRY_FOR } from './peers.ts'

/** Lines of history unless somebody says otherwise. Ours: a screen. */
const LIMIT = 20

/** How long a step of an examination may take. Ours. */
const STEP_MS = 10_000

export function addActivity (program: Command, context: Context, done: (exit: Exit) => void): void {
  const look = json(program.command('status'))
    .description('say what the node is doing; of an offer, how far it is, which files failed, and why')
    .argument('[offer]', OFFER)
    .option('--watch', 'go on until Ctrl-C', false)
    .action(async (offer: string | undefined, flags: StatusFlags) => {
      if (offer === undefined) done(await (await import('../commands/activity.ts')).status(context, flags))
      else done(await (await import('../commands/offers.ts')).status(context, offer, flags))
    })
  examples(look, ['ropewalk status', 'ropewalk status --watch', 'ropewalk status 5f0c2a91'])

  const examine = json(program.command('doctor'))
    .description('say whether this machine can run a node and reach another, and if not, where the way ends')
    .argument('[address]', 'the node to reach; ADDRESS::PATH is what it has of casync')
    .option('--token-file <file>', 'the access token of the cluster')
    .addOption(new Option('--timeout <time>', 'how long a step may take').argParser(checked(parseDuration)).default(STEP_MS, '10s'))
    .action(async (address: string | undefined, flags: DoctorFlags) => done(await (await import('../commands/doctor.ts')).doctor(context, address, flags)))
  examples(examine, ['ropewalk doctor', 'ropewalk doctor mdsftp+tls://nas.example:7740', 'ropewalk doctor yamux+tls://nas.example::images/a.caibx'], '\nExit code 1 says that something here is wrong, 3 that the way to the node is.\n')

  const past = json(program.command('history'))
    .description('list transfers that are over, the newest last')
    .addOption(new Option('--limit <n>', 'how many').default(LIMIT).argParser(checked(parseCount)))
    .option('--failed', 'only those that failed', false)
    .action(async (flags: HistoryFlags) => done(await (await import('../commands/activity.ts')).history(context, flags)))
  examples(past, ['ropewalk history --failed', 'ropewalk history --limit 1000 --json'], '\nThe journal outlives the node: it is in the state directory, and bounded.\n')

  const reason = json(program.command('why'))
    .description('say why a transfer is not further')
    .argument('<transfer>', TRANSFER)
    .action(async (id: string, flags: WhyFlags) => done(await (await import('../commands/activity.ts')).why(context, id, flags)))
  examples(reason, ['ropewalk why tn4k2a-7', 'ropewalk why holiday.mov --json'], '\nExit code 1 says that it has failed.\n')

  const again = json(discovering(program.command('retry')))
    .description('move what failed, and only that')
    .argument('<what>', `an offer (${OFFER}), or a transfer (${TRANSFER})`)
    .option('--failed', 'the files that failed, or were not begun; there is nothing else to retry', false)
    .option('--dangerous', DANGEROUS, false)
    .option('--retry-for <seconds>', RETRY_FOR, checked(parseSeconds))
    .action(async (what: string, flags: RetryFlags) => done(await (await import('../commands/retry.ts')).retry(context, what, flags)))
  examples(again, ['ropewalk retry 5f0c2a91', 'ropewalk retry desk --json'])
}

const OFFER = 'its id, the first digits of that, or the peer whose only offer it is'
const TRANSFER = 'its id, what follows the - of it, or its name'
