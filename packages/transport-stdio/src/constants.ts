/**
 * The numbers of this package. All of them are ours.
 *
 * @module
 */

/** Bytes a sink may write before it lets the event loop turn, where the kernel takes everything at once. */
export const BYTES_PER_TURN: number = 1024 * 1024

/** Bytes of one buffer that is read into: lent again and again, or given away in pieces. */
export const READ_BUFFER_BYTES: number = 256 * 1024

/** Room in it below which the next read goes to a new one. */
export const LEAST_READ_BYTES: number = 64 * 1024

/** Bytes of a child's stderr that are kept: the last ones. */
export const STDERR_BYTES: number = 64 * 1024

/** Characters of a child's last line on stderr that an error's message repeats. */
export const MESSAGE_CHARACTERS = 200

/** How long a graceful close waits for the peer's end, and then for a child's exit, before it is broken off. */
export const CLOSE_TIMEOUT_MS = 5_000

/** How long a child that was told to end (SIGTERM) has before it is made to (SIGKILL). */
export const KILL_TIMEOUT_MS = 5_000

/**
 * How long to wait for the exit of a child whose stdout has ended while we still write. If it dies, this is when we learn it; if it
 * lives on, it has ended one direction.
 */
export const EXIT_GRACE_MS = 250

/** How long to wait for the rest of stderr after an exit: a grandchild may hold it open. */
export const STDERR_GRACE_MS = 250
