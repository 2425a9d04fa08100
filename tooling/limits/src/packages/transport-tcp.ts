import type { PackageLimits } from '../limit.ts'

export const transportTcp: PackageLimits = {
  folder: 'transport-tcp',
  exports: () => import('@ropewalk/transport-tcp'),
  limits: [
    {
      constant: 'RECEIVE_BUFFER_BYTES',
      of: 'bytes that wait unread',
      unit: 'bytes',
      option: 'receiveBufferBytes',
      beyond: 'the socket is paused, at most one read of 256 KiB later',
      test: ['backpressure.test.ts', '${name}: what waits unread is bounded in bytes, and reading goes on when it is taken']
    },
    {
      constant: 'RECEIVE_BUFFER_ITEMS',
      of: 'pieces that wait unread',
      unit: 'pieces',
      beyond: 'the socket is paused',
      test: ['backpressure.test.ts', '${name}: what waits unread is bounded in pieces']
    },
    {
      constant: 'SEND_BUFFER_BYTES',
      of: 'bytes that `sink` is ahead of the kernel, and one item',
      unit: 'bytes',
      beyond: '`sink` asks its source for no more',
      test: ['backpressure.test.ts', 'a sink is never further ahead of the kernel than its buffer and one item']
    },
    {
      constant: 'BYTES_PER_TURN',
      of: 'bytes that `sink` writes without letting the event loop turn',
      unit: 'bytes',
      beyond: 'it lets it turn',
      test: ['backpressure.test.ts', 'a source that never waits lets others run, however fast its bytes are taken']
    },
    {
      constant: 'DIAL_TIMEOUT_MS',
      of: 'one `dial`, handshake and `verify` included',
      unit: 'ms',
      option: 'timeoutMs',
      beyond: 'it rejects',
      code: 'ERR_TIMEOUT',
      test: ['dial.test.ts', 'a server that never shakes hands is given up']
    },
    {
      constant: 'CLOSE_TIMEOUT_MS',
      of: 'a close that waits for the peer\'s end',
      unit: 'ms',
      option: 'closeTimeoutMs',
      beyond: 'the connection is reset',
      test: ['close.test.ts', '${kind}: a disposal that the peer does not answer is bounded']
    },
    {
      constant: 'MAX_PENDING_CONNECTIONS',
      of: 'accepted connections that nobody has taken',
      unit: 'connections',
      option: 'maxPendingConnections',
      beyond: 'the next is reset, and `onRefused` is told',
      code: 'ERR_ABORTED',
      test: ['listen.test.ts', '${kind}: connections that nobody takes are bounded']
    },
    {
      constant: 'MAX_HANDSHAKES',
      of: 'TLS handshakes under way at a listener',
      unit: 'connections',
      option: 'maxHandshakes',
      beyond: 'the next is closed, and `onRefused` is told',
      code: 'ERR_TLS',
      test: ['listen.test.ts', 'tls: handshakes are bounded in number and in time']
    },
    {
      constant: 'HANDSHAKE_TIMEOUT_MS',
      of: 'one TLS handshake at a listener',
      unit: 'ms',
      option: 'handshakeTimeoutMs',
      beyond: 'it is closed, and `onRefused` is told',
      code: 'ERR_TIMEOUT',
      test: ['listen.test.ts', 'tls: handshakes are bounded in number and in time']
    },
    {
      constant: 'MAX_UNIX_PATH_BYTES',
      of: 'the path of a unix socket',
      unit: 'bytes',
      beyond: '`dial` and `listen` reject',
      code: 'ERR_ADDRESS',
      test: ['address.test.ts', 'dial and listen refuse what no text could have said']
    },
    {
      constant: 'MAX_NAMES',
      of: 'names in a certificate that an authority issues',
      unit: 'names',
      beyond: '`RangeError`',
      test: ['authority.test.ts', 'what cannot be issued is refused']
    }
  ],
  others: {
    LENT_BUFFER_BYTES: 'the size of a buffer that is read into',
    OWNED_BUFFER_BYTES: 'the size of a buffer that is read into',
    OWNED_RECORDS_BYTES: 'the size of a buffer that TLS is read into',
    LARGE_READ_BYTES: 'when a connection gets such a buffer',
    SMALL_READS: 'when it gives it back',
    LITTER_ITEMS: 'what is thrown away with such buffers, so that they are collected soon',
    RECORDS_LITTER_ITEMS: 'what is thrown away with such buffers, so that they are collected soon',
    FINGERPRINT_LENGTH: 'part of an address',
    SERIAL_BYTES: 'part of a certificate',
    DAY_MS: 'a unit of time',
    AUTHORITY_DAYS: 'the life of a certificate',
    LEAF_DAYS: 'the life of a certificate'
  }
}
