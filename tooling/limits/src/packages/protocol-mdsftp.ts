import type { PackageLimits } from '../limit.ts'

export const protocolMdsftp: PackageLimits = {
  folder: 'protocol-mdsftp',
  exports: () => import('@ropewalk/protocol-mdsftp'),
  limits: [
    {
      constant: 'PREAMBLE_TIMEOUT_MS',
      of: 'the preamble of a dialer, and its verification',
      unit: 'ms',
      option: 'deadlineMs',
      beyond: 'the connection is closed',
      code: 'ERR_TIMEOUT',
      test: ['connection.test.ts', 'finding 16: a silent dialer is given up after 10 s, and keeps nobody waiting']
    },
    {
      constant: 'MAX_EARLY_BYTES',
      of: 'bytes that pile up while a token is verified',
      unit: 'bytes',
      beyond: 'the connection is closed',
      code: 'ERR_FLOOD',
      test: ['connection.test.ts', 'what piles up while a token is verified is bounded']
    },
    {
      constant: 'REQUEST_TIMEOUT_MS',
      of: 'the reply to a request',
      unit: 'ms',
      option: 'requestMs',
      beyond: 'the channel is closed',
      code: 'ERR_TIMEOUT',
      test: ['timeouts.test.ts', 'a request that is not answered fails after 30 s, and its channel is closed']
    },
    {
      constant: 'FIRST_FRAGMENT_TIMEOUT_MS',
      of: 'the first fragment of a retrieval',
      unit: 'ms',
      option: 'firstFragmentMs',
      beyond: 'the channel is closed',
      code: 'ERR_TIMEOUT',
      test: ['timeouts.test.ts', 'a first fragment may take 15 s, each other 60 s, and the consumer all the time it wants']
    },
    {
      constant: 'PROGRESS_TIMEOUT_MS',
      of: 'the time between fragments or acknowledgements',
      unit: 'ms',
      option: 'progressMs',
      beyond: 'the channel is closed',
      code: 'ERR_TIMEOUT',
      test: ['timeouts.test.ts', 'an uploader that says nothing for 60 s, or a reader that acknowledges nothing, is given up']
    },
    {
      constant: 'CLEANUP_TIMEOUT_MS',
      of: 'telling the peer that an upload has failed',
      unit: 'ms',
      beyond: 'it is not waited for',
      test: ['timeouts.test.ts', 'an upload that is not acknowledged for 60 s fails, and the peer is told; a slow source is nobody\'s fault']
    },
    {
      constant: 'IDLE_TIMEOUT_MS',
      of: 'a channel on which nothing is asked',
      unit: 'ms',
      option: 'idleMs',
      beyond: 'it is closed',
      test: ['timeouts.test.ts', 'a channel on which nothing is asked is closed after 60 s, one that holds a lock after 300 s']
    },
    {
      constant: 'LOCK_LEASE_MS',
      of: 'a lock on a channel that says nothing',
      unit: 'ms',
      option: 'lockLeaseMs',
      beyond: 'the lock is lost, the channel closed',
      test: ['timeouts.test.ts', 'a channel on which nothing is asked is closed after 60 s, one that holds a lock after 300 s']
    },
    {
      constant: 'RESERVATION_LIFE_MS',
      of: 'a reservation, or an upload that nobody commits',
      unit: 'ms',
      option: 'reservationLifeMs',
      beyond: 'it is removed',
      test: ['timeouts.test.ts', 'finding 27: reservations live an hour, give their space back, and keep-alives prolong them']
    },
    {
      constant: 'UPLOAD_WINDOW',
      of: 'fragments that an uploader may have unacknowledged',
      unit: 'fragments',
      option: 'window',
      beyond: 'the connection is closed',
      code: 'ERR_UNEXPECTED_PACKET',
      test: ['upload-server.test.ts', 'more fragments than the window allows end the connection']
    },
    {
      constant: 'RETRIEVE_WINDOW',
      of: 'fragments that `retrieve` asks for, and may get, unacknowledged',
      unit: 'fragments',
      option: 'window',
      beyond: 'asked for: `RangeError`; sent: the connection is closed',
      code: 'ERR_UNEXPECTED_PACKET',
      test: ['client.test.ts', 'fragments beyond the window, and the one more that the original sends, end the connection']
    },
    {
      constant: 'MAX_SEND_FRAGMENTS',
      of: 'fragments that we have unacknowledged, whatever the peer\'s window',
      unit: 'fragments',
      option: 'maxFragments',
      beyond: 'the sender waits',
      test: ['sender-state.test.ts', 'window 0 is lockstep, and a window of 65535 is held to 64 fragments and 4 MiB']
    },
    {
      constant: 'MAX_SEND_BYTES',
      of: 'bytes that we have unacknowledged on one channel, whatever the peer\'s window',
      unit: 'bytes',
      option: 'maxBytes',
      beyond: 'the sender waits',
      test: ['sender-state.test.ts', 'window 0 is lockstep, and a window of 65535 is held to 64 fragments and 4 MiB']
    },
    {
      constant: 'MAX_DURABLE_SEND_BYTES',
      of: 'the same of a durable upload: what is sent twice after an interruption',
      unit: 'bytes',
      option: 'maxBytes',
      beyond: 'the sender waits',
      test: ['durable.test.ts', 'what a durable upload has unacknowledged is at most 1 MiB, and of any other at most 4 MiB']
    },
    {
      constant: 'FAST_FRAGMENT_BYTES',
      of: 'content of a fragment to our own kind, where 1 MiB is acknowledged within 100 ms; 256 KiB elsewhere',
      unit: 'bytes',
      option: 'fragmentBytes',
      beyond: 'it goes as several',
      test: ['sender-state.test.ts', 'fragments are large while acknowledgements come fast, never more than a quarter of the window, and small again when they do not']
    },
    {
      constant: 'MAX_FRAGMENTS',
      of: 'fragments of one transfer',
      unit: 'fragments',
      beyond: '`RangeError`, before anything is sent',
      test: ['limits.test.ts', 'a transfer has no more fragments than a number can count']
    },
    {
      constant: 'MAX_RESERVATIONS',
      of: 'reservations and uncommitted chunks of a node',
      unit: 'items',
      option: 'maxReservations',
      beyond: 'the next is refused',
      code: 'ERR_NO_SPACE',
      test: ['limits.test.ts', 'a node keeps no more reservations than so many, of whatever size']
    },
    {
      constant: 'MAX_OWNER_RESERVATIONS',
      of: 'the same, of one peer',
      unit: 'items',
      option: 'maxOwnerReservations',
      beyond: 'the next is refused',
      code: 'ERR_NO_SPACE',
      test: ['recovery.test.ts', 'caps by owner: reservations and bytes, given back when they are over']
    },
    {
      constant: 'MAX_RESERVATION_AGE_MS',
      of: 'how long a reservation can be prolonged',
      unit: 'ms',
      option: 'maxReservationAgeMs',
      beyond: 'it is removed, and an upload under way ends',
      test: ['recovery.test.ts', 'keep-alives prolong to the greatest age and no further, and an upload does not outlive it']
    },
    {
      constant: 'LEASE_MS',
      of: 'the right to write, without renewing it',
      unit: 'ms',
      beyond: 'another node may take it',
      test: ['recovery.test.ts', 'a node that lost its lease to another touches nothing of it any more']
    },
    {
      constant: 'SWEEP_BATCH',
      of: 'expired reservations that are removed together',
      unit: 'items',
      beyond: 'one batch after the other',
      test: ['limits.test.ts', 'expired reservations are removed so many at a time, and all of them']
    },
    {
      constant: 'MAX_HALF_OPEN',
      of: 'connections that have not said who they are, by one `Arrivals`',
      unit: 'connections',
      option: 'arrivals',
      beyond: 'the next is broken off',
      code: 'ERR_MAX_CONNECTIONS',
      test: ['connection.test.ts', 'finding 16: at most 64 connections that have not said who they are, and room again when one has, or is gone']
    },
    {
      constant: 'MAX_NODE_CONNECTIONS',
      of: 'connections of one node in a pool, whoever dialled',
      unit: 'connections',
      option: 'maxConnections',
      beyond: 'none is dialled, and the next of the peer is refused',
      code: 'ERR_MAX_CONNECTIONS',
      test: ['pool.test.ts', 'at most 8 connections a node; another is dialled when all are busy, and nobody waits for it']
    },
    {
      constant: 'CONNECTION_CHANNELS',
      of: 'channels on every connection of a node',
      unit: 'channels',
      option: 'maxChannels',
      beyond: 'another connection is dialled',
      test: ['pool.test.ts', 'at most 8 connections a node; another is dialled when all are busy, and nobody waits for it']
    },
    {
      constant: 'DIAL_TIMEOUT_MS',
      of: 'dialling a node',
      unit: 'ms',
      option: 'dialMs',
      beyond: 'the attempt is given up',
      code: 'ERR_TIMEOUT',
      test: ['pool.test.ts', 'a dial that takes longer than 10 s is given up, and leaves no connection behind']
    },
    {
      constant: 'BACKOFF_MOST_MS',
      of: 'the wait after failed attempts to dial a node',
      unit: 'ms',
      option: 'backoffMostMs',
      beyond: 'it grows no further',
      test: ['pool.test.ts', 'back-off doubles to its bound, between half and all of it, and one success forgets it']
    },
    {
      constant: 'IDLE_CONNECTION_MS',
      of: 'a connection to our own kind that nobody uses',
      unit: 'ms',
      option: 'idleMs',
      beyond: 'it is closed',
      test: ['pool.test.ts', 'conduct 9: a connection to the original is never closed for being idle, one to our own is']
    },
    {
      constant: 'DEAD_AFTER_MS',
      of: 'a connection from which nothing is read, after a time-out',
      unit: 'ms',
      option: 'deadAfterMs',
      beyond: 'it is broken off',
      test: ['pool.test.ts', 'conduct 7: a time-out closes the channel; the connection only if it shows no life at all']
    },
    {
      constant: 'REQUEST_HOLD_MS',
      of: 'a channel that the peer opened without asking, while our content waits for its request',
      unit: 'ms',
      beyond: 'our content goes on',
      test: ['courtesy.test.ts', 'finding 5: a channel on which nothing is asked holds nobody up for longer than 10 s']
    },
    {
      constant: 'SCRUB_BYTES_PER_SECOND',
      of: 'bytes that a scrub reads',
      unit: 'a second',
      option: 'bytesPerSecond',
      beyond: 'it waits',
      test: ['verify.test.ts', 'a scrub takes every chunk once, at its rate']
    },
    {
      constant: 'GIVE_UP_MS',
      of: 'how long the attempts of a durable upload may bring nothing new',
      unit: 'ms',
      option: 'giveUpMs',
      beyond: 'the last error is passed on',
      test: ['durable.test.ts', 'attempts that bring nothing new end after five minutes, with the last error']
    },
    {
      constant: 'MAX_RESTARTS',
      of: 'new starts of a durable upload whose peer has lost what it had',
      unit: 'items',
      beyond: 'it fails',
      code: 'ERR_NOT_FOUND',
      test: ['durable.test.ts', 'a node that loses what it had is begun with anew, but not for ever']
    },
    {
      constant: 'JOURNAL_BYTES',
      of: 'acknowledged bytes between two records in a journal',
      unit: 'bytes',
      option: 'journalBytes',
      beyond: 'the next is written',
      test: ['durable.test.ts', 'the journal is written anew each 16 MiB, and one that cannot be is no reason to stop']
    },
    {
      constant: 'MAX_READERS',
      of: 'readers of one chunk',
      unit: 'items',
      option: 'maxReaders',
      beyond: 'the next is refused',
      code: 'ERR_NOT_AVAILABLE',
      test: ['retrieve-server.test.ts', 'section 5.9: locks are granted aloud, refused aloud, and end with their channel']
    }
  ],
  others: {
    NODE_ID_BYTES: 'part of the wire',
    TOKEN_BYTES: 'part of the wire',
    FAST_FRAGMENT_MS: 'which link is fast',
    FRAGMENT_BYTES: 'the size of the fragments that we send',
    KEEP_ALIVE_MS: 'how often a running upload keeps its reservation alive',
    BACKOFF_FIRST_MS: 'where the wait between attempts begins',
    SCRUB_EVERY_MS: 'how often every chunk is verified',
    SCRUB_READ_BYTES: 'the size of a read',
    SCRUB_BATCH: 'the size of a page of the ledger',
    SWEEP_MS: 'how often reservations that are over are looked for'
  }
}
