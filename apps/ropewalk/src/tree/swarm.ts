/**
 * Commands of a swarm: peers that replicate files to each other.
 *
 * @module
 */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { PeerAddress } from '@ropewalk/protocol-torronto'
import type { InsertFlags, JoinFlags, QueryFlags, SwarmFlags } from '../commands/swarm.ts'
import type { Context } from '../context.ts'
import type { Exit } from '../exit-codes.ts'
import { examples, json } from '../options.ts'
import { SWARM_PROFILES } from '../swarm/options.ts'

export function addSwarm (program: Command, context: Context, done: (exit: Exit) => void): void {
  const swarm = program.command('swarm').description('replicate files among peers: join, insert, query, leave')
  examples(swarm, ['ropewalk swarm join --peers peers.txt --dir shared', 'ropewalk swarm insert holiday.mov'])

  const join = json(swarm.command('join'))
    .description('be a peer until Ctrl-C or "swarm leave"')
    .requiredOption('--peers <file>', 'who belongs to the swarm: one "HOST PORT" a line, this peer among them')
    .requiredOption('--dir <directory>', 'where the files are; what lies there is offered')
    .option('--as <host:port>', 'which of the peers this one is (default: the one that is this machine)', parsePeer)
    .addOption(new Option('--profile <name>', 'what the others speak').choices(SWARM_PROFILES).default('as-implemented'))
    .option('--key <file>', 'what all members know, and prove; only with --profile hardened')
    .action(async (flags: JoinFlags) => done(await (await import('../commands/swarm.ts')).joinCommand(context, flags)))
  examples(join, ['ropewalk swarm join --peers peers.txt --dir shared', 'ropewalk swarm join --peers peers.txt --dir shared --as 10.0.0.2:7750 --profile hardened --key swarm.key'], JOIN_HELP)

  const insert = json(swarm.command('insert'))
    .description('put files into the swarm')
    .argument('<file...>', 'files, which are copied into the directory of the peer')
    .option('--name <name>', 'what the file is called there (default: its own name)')
    .action(async (files: string[], flags: InsertFlags) => done(await (await import('../commands/swarm.ts')).insertCommand(context, files, flags)))
  examples(insert, ['ropewalk swarm insert holiday.mov', 'ropewalk swarm insert report.pdf --name 2026/report.pdf'])

  const query = json(swarm.command('query'))
    .description('say how often each file is held')
    .option('--watch', 'go on, at every change, until Ctrl-C', false)
    .action(async (flags: QueryFlags) => done(await (await import('../commands/swarm.ts')).queryCommand(context, flags)))
  examples(query, ['ropewalk swarm query --watch', 'ropewalk swarm query --json'], QUERY_HELP)

  const leave = json(swarm.command('leave'))
    .description('leave the swarm: what only this peer holds is given away first')
    .action(async (flags: SwarmFlags) => done(await (await import('../commands/swarm.ts')).leaveCommand(context, flags)))
  examples(leave, ['ropewalk swarm leave', 'ROPEWALK_STATE=/srv/second ropewalk swarm leave'])
}

const JOIN_HELP = `
Profiles: "as-implemented" and "documented" speak with originals, which damage
some files and can be damaged by others; peers of our own kind find each other
among them and use exact sizes and hashes. "hardened" is for peers of our own
kind alone: up to 64 of them, files of any size, and a key.
`

const QUERY_HELP = `
"copies" is the mean over the chunks of a file, "least" how often the rarest is
held; both count this peer. Into a pipe: name, mean, least, peers, share here.
`

function parsePeer (text: string): PeerAddress {
  const [, host, port] = /^\[?([^\]\s]+?)\]?:(\d{1,5})$/.exec(text) ?? []
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) throw new InvalidArgumentError('A peer is HOST:PORT.')
  return { host, port: Number(port) }
}
