/** The version of the tables, in the file's `user_version`. Ours. */
export const SCHEMA_VERSION = 1

/** Steps that one transaction takes together. Ours: enough for a burst of uploads, and no longer a wait than some milliseconds. */
export const MAX_BATCH_STEPS = 1024

/** Pages of the log (4 KiB each) after which SQLite copies it into the file, with two syncs that everybody waits for. Ours: four times SQLite's default. */
export const CHECKPOINT_PAGES = 4000

/** MiB that the thread's heap has for what lives for a moment, and all of it does: left alone, V8 would give it more than a hundred. Ours. */
export const YOUNG_MIB = 8
