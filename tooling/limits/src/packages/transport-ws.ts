import type { PackageLimits } from '../limit.ts'

export const transportWs: PackageLimits = {
  folder: 'transport-ws',
  exports: () => import('@ropewalk/transport-ws'),
  limits: [
    {
      constant: 'MAX_MESSAGE_BYTES',
      of: 'one message received',
      unit: 'bytes',
      option: 'maxMessageBytes',
      beyond: 'the connection fails; in Node from the header of the frame alone',
      code: 'ERR_MESSAGE_TOO_LARGE',
      test: ['pressure.test.ts', 'ws: a message that is too large ends the connection, from its header alone']
    },
    {
      constant: 'MAX_SEND_BYTES',
      of: 'one message sent',
      unit: 'bytes',
      option: 'maxSendBytes',
      beyond: 'what a source yields is cut',
      test: ['messages.test.ts', 'messages hold what the item held, none empty and none too large']
    },
    {
      constant: 'RECEIVE_BUFFER_BYTES',
      of: 'bytes that wait unread, where the socket can be paused',
      unit: 'bytes',
      option: 'receiveBufferBytes',
      beyond: 'it is paused; what was on its way adds 256 KiB and one message at most',
      test: ['hostile.test.ts', 'a flood of single bytes to a consumer that sleeps is bounded in bytes and in pieces']
    },
    {
      constant: 'RECEIVE_BUFFER_ITEMS',
      of: 'pieces that wait unread',
      unit: 'pieces',
      beyond: 'the socket is paused',
      test: ['hostile.test.ts', 'a flood of single bytes to a consumer that sleeps is bounded in bytes and in pieces']
    },
    {
      constant: 'MAX_BUFFERED_BYTES',
      of: 'bytes that wait unread, where the socket cannot be paused',
      unit: 'bytes',
      option: 'maxBufferedBytes',
      beyond: 'the connection fails',
      code: 'ERR_BUFFER_FULL',
      test: ['pressure.test.ts', 'platform: what cannot be paused is bounded by ending the connection']
    },
    {
      constant: 'SEND_BUFFER_BYTES',
      of: 'bytes sent ahead of the kernel, and one message',
      unit: 'bytes',
      beyond: 'the sink waits',
      test: ['pressure.test.ts', '${kind}: a consumer that sleeps stops the sender, and gets everything when it wakes']
    },
    {
      constant: 'BYTES_PER_TURN',
      of: 'bytes that a sink writes without letting the event loop turn',
      unit: 'bytes',
      beyond: 'it lets it turn',
      test: ['outbound.test.ts', 'a sink of a socket that takes everything at once lets the event loop turn']
    },
    {
      constant: 'DIAL_TIMEOUT_MS',
      of: 'one `dial`, both handshakes included',
      unit: 'ms',
      option: 'timeoutMs',
      beyond: 'it rejects',
      code: 'ERR_TIMEOUT',
      test: ['dial.test.ts', '${kind}: a server that never answers is ERR_TIMEOUT']
    },
    {
      constant: 'HANDSHAKE_TIMEOUT_MS',
      of: 'a client\'s request to upgrade',
      unit: 'ms',
      option: 'handshakeTimeoutMs',
      beyond: 'it is dropped, and `onRefused` is told',
      code: 'ERR_TIMEOUT',
      test: ['hostile.test.ts', 'a client that sends no request is dropped at the deadline, and one more than may be is dropped at once']
    },
    {
      constant: 'MAX_HANDSHAKES',
      of: 'clients without a complete request',
      unit: 'connections',
      option: 'maxHandshakes',
      beyond: 'the next is refused, and `onRefused` is told',
      code: 'ERR_REFUSED',
      test: ['hostile.test.ts', 'a client that sends no request is dropped at the deadline, and one more than may be is dropped at once']
    },
    {
      constant: 'MAX_HEADER_BYTES',
      of: 'a request line with its headers',
      unit: 'bytes',
      beyond: 'refused with a status',
      test: ['hostile.test.ts', 'requests that are no WebSocket of ours are answered with a status']
    },
    {
      constant: 'MAX_PENDING_CONNECTIONS',
      of: 'accepted connections that nobody has taken',
      unit: 'connections',
      option: 'maxPendingConnections',
      beyond: 'the next is refused',
      test: ['listen.test.ts', 'a connection that nobody takes is refused when too many wait, and closed with the listener']
    },
    {
      constant: 'CLOSE_TIMEOUT_MS',
      of: 'a close that waits for the peer\'s end',
      unit: 'ms',
      option: 'closeTimeoutMs',
      beyond: 'the connection is dropped',
      test: ['close.test.ts', '${kind}: a disposal that the peer does not answer is bounded']
    },
    {
      constant: 'LINGER_MS',
      of: 'an abort of which the peer does not want to hear',
      unit: 'ms',
      beyond: 'the connection is dropped',
      test: ['limits.test.ts', 'a peer that does not answer to an abort is dropped, long before a close would be given up']
    }
  ],
  others: {
    PAUSE_SLACK_BYTES: 'what may still come behind a pause: part of the bound on bytes that wait unread',
    POLL_FIRST_MS: 'how often it is looked whether bytes have left',
    POLL_MAX_MS: 'how often it is looked whether bytes have left',
    CLOSED_WITHOUT_CODE: 'part of the wire',
    CLOSED_ABNORMALLY: 'part of the wire'
  }
}
