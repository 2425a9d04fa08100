/** Bytes of a file that are read at a time. Ours. */
export const READ_BYTES: number = 1024 * 1024

/** Nodes of one folder that are looked at at a time. Ours. */
export const LOOKS_AHEAD = 64

/** Most bytes that a program of the machine may print about attributes. Ours: about a million files that have some. */
export const MAX_TOOL_BYTES: number = 256 * 1024 * 1024

/** Most bytes of a file of patterns, and patterns in it. Ours. */
export const MAX_EXCLUDE_BYTES: number = 1024 * 1024

/** Most bytes of a name. Linux has no more. */
export const MAX_NAME_BYTES = 255

/** Files up to this size are written whole, and side by side: so many of them, and so many bytes. Ours. */
export const WHOLE_FILE_BYTES: number = 256 * 1024
export const WRITES_AHEAD = 16
export const WRITES_AHEAD_BYTES: number = 4 * 1024 * 1024

/** A block of so many zeros in a large file becomes a hole. Ours. */
export const HOLE_BYTES: number = 64 * 1024
