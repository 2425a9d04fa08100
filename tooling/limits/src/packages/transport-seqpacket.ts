import type { PackageLimits } from '../limit.ts'

export const transportSeqpacket: PackageLimits = {
  folder: 'transport-seqpacket',
  exports: () => import('@ropewalk/transport-seqpacket'),
  limits: [
    {
      constant: 'MAX_PACKET_BYTES',
      of: 'one packet, both ways',
      unit: 'bytes',
      beyond: 'the connection fails',
      code: 'ERR_TOO_LARGE',
      test: ['seqpacket.test.ts', 'packets that are too large are refused on both sides']
    },
    {
      constant: 'RECEIVE_BUFFER_BYTES',
      of: 'bytes that have come and nobody has taken',
      unit: 'bytes',
      option: 'receiveBufferBytes',
      beyond: 'the connection is cut off',
      code: 'ERR_OVERFLOW',
      test: ['seqpacket.test.ts', 'what nobody takes is bounded: the connection is cut off, and what had come can be taken']
    },
    {
      constant: 'RECEIVE_BUFFER_ITEMS',
      of: 'packets that have come and nobody has taken',
      unit: 'items',
      beyond: 'the connection is cut off',
      code: 'ERR_OVERFLOW',
      test: ['seqpacket.test.ts', 'what nobody takes is bounded: the connection is cut off, and what had come can be taken']
    },
    {
      constant: 'SEND_BUFFER_BYTES',
      of: 'bytes handed to the socket and not yet to the kernel',
      unit: 'bytes',
      beyond: 'the sink waits',
      test: ['seqpacket.test.ts', 'each direction ends on its own, and a source is read no faster than the kernel takes']
    },
    {
      constant: 'SEND_BUFFER_ITEMS',
      of: 'packets handed to the socket and not yet to the kernel',
      unit: 'items',
      beyond: 'the sink waits',
      test: ['seqpacket.test.ts', 'each direction ends on its own, and a source is read no faster than the kernel takes']
    },
    {
      constant: 'MAX_PENDING_CONNECTIONS',
      of: 'connections that nobody has taken',
      unit: 'connections',
      option: 'maxPendingConnections',
      beyond: 'the next one is refused',
      code: 'ERR_ABORTED',
      test: ['seqpacket.test.ts', 'connections wait to be taken, so many and no more; a closed listener is over']
    },
    {
      constant: 'MAX_UNIX_PATH_BYTES',
      of: 'the path of a socket',
      unit: 'bytes',
      beyond: 'refused',
      code: 'ERR_ADDRESS',
      test: ['seqpacket.test.ts', 'no socket, one of streams, one that is dead, one that lives, and a file']
    },
    {
      constant: 'CLOSE_TIMEOUT_MS',
      of: 'the peer\'s end, when closing',
      unit: 'ms',
      option: 'closeTimeoutMs',
      beyond: 'the socket is destroyed',
      test: ['seqpacket.test.ts', 'a close waits for the peer\'s end, and not for ever']
    }
  ],
  others: {}
}
