import type { PackageLimits } from './limit.ts'
import { disk } from './packages/disk.ts'
import { framing } from './packages/framing.ts'
import { mux } from './packages/mux.ts'
import { muxerMdsftp } from './packages/muxer-mdsftp.ts'
import { muxerYamux } from './packages/muxer-yamux.ts'
import { negotiate } from './packages/negotiate.ts'
import { protocolIpcUpload } from './packages/protocol-ipc-upload.ts'
import { protocolMdsftp } from './packages/protocol-mdsftp.ts'
import { protocolPair } from './packages/protocol-pair.ts'
import { protocolWarpdrive } from './packages/protocol-warpdrive.ts'
import { receive } from './packages/receive.ts'
import { storeFs } from './packages/store-fs.ts'
import { transportSeqpacket } from './packages/transport-seqpacket.ts'
import { transportStdio } from './packages/transport-stdio.ts'
import { transportTcp } from './packages/transport-tcp.ts'
import { transportWs } from './packages/transport-ws.ts'

/** From the bottom up. A new package is one more line. */
export const PACKAGES: readonly PackageLimits[] = [
  framing, negotiate, mux, muxerMdsftp, muxerYamux, protocolMdsftp, protocolWarpdrive, protocolPair, protocolIpcUpload, transportTcp, transportWs, transportSeqpacket,
  transportStdio, disk, receive, storeFs
]
