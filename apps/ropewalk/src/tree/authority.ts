/**
 * Commands of a cluster's certificate authority.
 *
 * @module
 */
import type { Command } from 'commander'
import { parseDays } from '../arguments.ts'
import type { InitFlags, IssueFlags } from '../commands/ca.ts'
import type { Context } from '../context.ts'
import type { Exit } from '../exit-codes.ts'
import { checked, collect, examples } from '../options.ts'

export function addAuthority (program: Command, context: Context, done: (exit: Exit) => void): void {
  const ca = program.command('ca').description('make the certificates of a cluster')
  examples(ca, ['ropewalk ca init', 'ropewalk ca issue nas --san nas.example --san 192.0.2.7'], CA_HELP)

  const init = ca.command('init')
    .description('make an authority: its certificate is for every client, its key for nobody')
    .option('--dir <directory>', 'where to make it (default: ca in the state directory)')
    .option('--name <name>', 'what people call the cluster (default: ropewalk cluster)')
    .option('--days <n>', 'how long it is good for (default: 3650)', checked(parseDays))
    .option('--json', 'print NDJSON, one JSON object a line', false)
    .action(async (flags: InitFlags) => done(await (await import('../commands/ca.ts')).initAuthority(context, flags)))
  examples(init, ['ropewalk ca init', 'ropewalk ca init --dir /mnt/stick/ca --name "north side"'], CA_HELP)

  const issue = ca.command('issue')
    .description('make a key and a certificate for a node')
    .argument('<node>', 'what people call it')
    .requiredOption('--san <name>', 'a host name or IP address by which it is dialled; several times for several', collect)
    .option('--dir <directory>', 'where the authority is (default: ca in the state directory)')
    .option('-o, --output <directory>', 'where to put key.pem, cert.pem and ca.pem (default: a new one with the node\'s name)')
    .option('--days <n>', 'how long it is good for (default: 365)', checked(parseDays))
    .option('--json', 'print NDJSON, one JSON object a line', false)
    .action(async (node: string, flags: IssueFlags) => done(await (await import('../commands/ca.ts')).issueCertificate(context, node, flags)))
  examples(issue, [
    'ropewalk ca issue nas --san nas.example --san 192.0.2.7',
    'ropewalk ca issue nas --san nas.example --days 30 -o nas-2027'
  ], CA_HELP)
}

const CA_HELP = `
The node takes key.pem and cert.pem ("ropewalk serve --cert FILE --key FILE"), a
client ca.pem ("ropewalk put --ca FILE"). A client then trusts every node that
shows a certificate of this authority with the name or address that was dialled.
Nothing is written over, and keys are readable for their owner alone.
`
