/**
 * Commands that send files to people: peers, offers and pairing.
 *
 * @module
 */
import { type Command, Option } from 'commander'
import { parseSeconds, parseSize } from '../arguments.ts'
import type { AcceptFlags, OfferFlags, OffersFlags, WithdrawFlags } from '../commands/offers.ts'
import type { PeerFlags, PeersFlags } from '../commands/peers.ts'
import type { SendFlags } from '../commands/send.ts'
import type { Context } from '../context.ts'
import type { Exit } from '../exit-codes.ts'
import { loadSmall } from '../heap.ts'
import { checked, examples, json } from '../options.ts'
import { SPOOL_LIMIT_BYTES } from '../spool.ts'

type Done = (exit: Exit) => void

export function addPeers (program: Command, context: Context, done: Done): void {
  addPair(program, context, done)
  addSend(program, context, done)
  addOffers(program, context, done)
  addPeerCommands(program, context, done)
}

function addPair (program: Command, context: Context, done: Done): void {
  const command = json(discovering(program.command('pair')))
    .description('make a peer of another machine: prints a code, or uses the one that the other machine has printed')
    .argument('[code]', 'the code that the other machine has printed')
    .argument('[address]', 'where that machine is: HOST or HOST:PORT')
    .action(async (code: string | undefined, address: string | undefined, flags: PeersFlags) => done(await (await import('../commands/peers.ts')).pair(context, code, address, flags)))
  examples(command, ['ropewalk pair', 'ropewalk pair 31-k7wq-m2x9 192.168.1.17:7741'], PAIR_HELP)
}

function addSend (program: Command, context: Context, done: Done): void {
  const command = json(discovering(program.command('send')))
    .description('offer files and folders to a peer, who accepts and fetches them')
    .argument('<path...>', 'files and folders, or - for standard input; the last word is the peer: its name, its key, HOST:PORT#sha256=KEY, or yamux+tls://HOST:PORT#sha256=KEY')
    .option('--wait', 'stay until everything has arrived, or was declined', false)
    .option('--links', 'also symbolic links, as links, where they stay inside of the folder', false)
    .option('--name <name>', 'what standard input is called', 'stdin')
    .addOption(new Option('--spool-limit <size>', 'how much of standard input to take').argParser(checked(parseSize)).default(SPOOL_LIMIT_BYTES, '4G'))
    .action(async (words: string[], flags: SendFlags) => done(await (await loadSmall(() => import('../commands/send.ts'))).send(context, words, flags)))
  examples(command, ['ropewalk send photos laptop', 'ropewalk send --links src laptop', 'tar c src | ropewalk send --wait --name src.tar - laptop'], SEND_HELP)
}

function addOffers (program: Command, context: Context, done: Done): void {
  const list = json(program.command('offers'))
    .description('list what was offered to you, and by you')
    .option('--incoming', 'only what was offered to you', false)
    .option('--outgoing', 'only what you have offered', false)
    .option('--watch', 'go on, with a line for every change, until Ctrl-C', false)
    .action(async (flags: OffersFlags) => done(await (await import('../commands/offers.ts')).offers(context, flags)))
  examples(list, ['ropewalk offers --incoming', 'ropewalk offers --watch --json'])

  const take = json(discovering(program.command('accept')))
    .description('receive what was offered')
    .argument('<offer>', OFFER)
    .option('-o, --output <directory>', 'where to (default: the inbox of the node that runs, else here)')
    .option('--links', 'also symbolic links, where they stay inside of the folder that is received', false)
    .option('--dangerous', DANGEROUS, false)
    .option('--retry-for <seconds>', RETRY_FOR, checked(parseSeconds))
    .action(async (offer: string, flags: AcceptFlags) => done(await (await import('../commands/offers.ts')).accept(context, offer, flags)))
  examples(take, ['ropewalk accept 5f0c2a91', 'ropewalk accept desk -o Downloads', 'ropewalk accept desk --links'], ACCEPT_HELP)

  const refuse = json(program.command('decline'))
    .description('say no to an offer, also to one that is being received')
    .argument('<offer>', OFFER)
    .action(async (offer: string, flags: OfferFlags) => done(await (await import('../commands/offers.ts')).decline(context, offer, flags)))
  examples(refuse, ['ropewalk decline 5f0c2a91', 'ropewalk decline desk'])

  const back = json(discovering(program.command('withdraw')))
    .description('take back what you have offered, also while it is being fetched')
    .argument('<offer>', 'its id, the first digits of that, or the peer to whom it is the only offer')
    .action(async (offer: string, flags: WithdrawFlags) => done(await (await import('../commands/offers.ts')).withdraw(context, offer, flags)))
  examples(back, ['ropewalk withdraw 5f0c2a91', 'ropewalk withdraw laptop'], WITHDRAW_HELP)
}

function addPeerCommands (program: Command, context: Context, done: Done): void {
  const list = json(discovering(program.command('peers')))
    .description('list your peers, and who else is on the local network')
    .action(async (flags: PeersFlags) => done(await (await import('../commands/peers.ts')).peers(context, flags)))
  examples(list, ['ropewalk peers', 'ropewalk peers --json --no-discover'], '\nWhat the network tells of itself is a hint: a name found so is the\nname of nobody.\n')

  for (const [mode, description] of MODES) {
    const command = json(program.command(mode))
      .description(description)
      .argument('<peer>', PEER)
      .action(async (peer: string, flags: PeerFlags) => done(await (await import('../commands/peers.ts')).setMode(context, peer, mode, flags)))
    examples(command, [`ropewalk ${mode} laptop`, `ropewalk ${mode} 9f86d081 --json`])
  }
  const name = json(program.command('rename'))
    .description('call a peer something else')
    .argument('<peer>', PEER)
    .argument('<name>', 'the new name')
    .action(async (peer: string, name: string, flags: PeerFlags) => done(await (await import('../commands/peers.ts')).rename(context, peer, name, flags)))
  examples(name, ['ropewalk rename laptop anna', 'ropewalk rename 9f86d081 anna'])

  const drop = json(discovering(program.command('forget')))
    .description('make a stranger of a peer, and withdraw or end every offer of it and to it')
    .argument('<peer>', PEER)
    .action(async (peer: string, flags: PeersFlags) => done(await (await import('../commands/peers.ts')).forget(context, peer, flags)))
  examples(drop, ['ropewalk forget laptop', 'ropewalk forget 9f86d081 --json'], FORGET_HELP)

  const knock = json(discovering(program.command('ping')))
    .description('see whether a peer answers')
    .argument('<peer>', PEER)
    .action(async (peer: string, flags: PeersFlags) => done(await (await import('../commands/peers.ts')).ping(context, peer, flags)))
  examples(knock, ['ropewalk ping laptop', 'ropewalk ping --json laptop'])
}

const MODES = [
  ['trust', 'accept from a peer without a question, where serve says --auto-accept'],
  ['block', 'take nothing from a peer, and give it nothing'],
  ['ask', 'neither trust nor block a peer: you are asked, which is how every peer begins']
] as const

const PEER = 'its name, its key, or the first digits of that'
const OFFER = 'its id, the first digits of that, or the peer whose only offer it is'

export const DANGEROUS = 'also what a shell, a desktop or a tool would run or trust unasked: .git/hooks, .ssh, .bashrc, …'

export const RETRY_FOR = 'how long attempts may bring nothing new (default: 600)'

const PAIR_HELP = `
Both machines then know the key of the other. A code is good for one try within
two minutes; who does not know it, or stands in between, has pinned nothing.
`

const SEND_HELP = `
The files are fetched from the node that runs here ("ropewalk serve"); --wait
runs one itself where none does. Special files are left out, and so are links:
without --links all of them, with it those that lead out of the folder.
`

const ACCEPT_HELP = `
What is received is exactly the list that was offered: who changes it offers
anew. Nothing is replaced: a name that is taken gets a number. An offer with
links is refused without --links, and never accepted by itself.
`

const FORGET_HELP = `
What was offered to it is withdrawn, what it has offered is ended where it is
not whole, and both go from the lists; files that have arrived stay. It neither
downloads nor offers any more until it has paired again. It is not asked, and
still has this machine among its own peers. Grants of its key stay: "ropewalk
revoke" ends those.
`

const WITHDRAW_HELP = `
From then on nothing of it is sent. What the peer has of it that is not whole
is removed there; files that are whole stay. A peer that is away learns it when
it asks for the files, or meets a node of yours.
`

export function discovering (command: Command): Command {
  return command.option('--no-discover', 'neither tell the local network nor listen to it')
}
