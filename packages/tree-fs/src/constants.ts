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

/** Files up to this size are made at once, larger ones while others wait. Ours. */
export const WHOLE_FILE_BYTES: number = 256 * 1024

/** The longest that nothing else runs while small files are made. Ours. */
export const TURN_MS = 5

/** A block of so many zeros in a large file becomes a hole. Ours. */
export const HOLE_BYTES: number = 64 * 1024
