/** Bytes of one component of a name. From Linux: NAME_MAX; NTFS and APFS have 255 characters. */
export const MAX_COMPONENT_BYTES = 255

/** Bytes of a whole name. From Linux: PATH_MAX. */
export const MAX_NAME_BYTES = 4096

/** Components of a name. Ours: deep trees cost a descriptor and a system call a level. */
export const MAX_NAME_DEPTH = 64

/** The folder inside the root where files are while they are not whole. Ours; no name may begin with it. */
export const STAGING_FOLDER = '.ropewalk-staging'

/** In the staging folder: the folder of transfers that were broken off and may go on. Ours. */
export const KEPT_FOLDER = 'kept'

/** Transfers that nobody goes on with are removed after so long. Ours: a week. */
export const KEEP_MS = 604_800_000

/** Files of one transfer that its journal keeps apart. Ours. */
export const MAX_TRANSFER_FILES = 1_000_000

/** Bytes of one line of a journal. Ours: a name of `MAX_NAME_BYTES` in JSON, each byte escaped, and room. */
export const MAX_JOURNAL_LINE_BYTES = 32_768

/** Bytes read at a time from what a transfer has kept. Ours. */
export const READ_BYTES = 262_144

/** Bytes of the target of a symbolic link. From Linux: PATH_MAX, without the NUL. */
export const MAX_TARGET_BYTES = 4095

/** Left-overs of a process of which nobody can tell whether it lives (another boot, another container) go after so long. Ours. */
export const STALE_AFTER_MS = 86_400_000

/** How often the staging folder is made anew when others remove it at the same moment. Ours. */
export const MAX_OPEN_ATTEMPTS = 5

/** Names tried with a number behind them before `rename` gives up. Ours. */
export const MAX_RENAME_ATTEMPTS = 1000

/** Permissions that a peer can give: never setuid, setgid or sticky. */
export const ALLOWED_MODE = 0o777

/** What the owner can do with every received file, whatever the peer says. Ours. */
export const OWNER_MODE = 0o600

/** ... and with every folder. */
export const OWNER_FOLDER_MODE = 0o700

/** Of a file that is announced with no more bytes, they are written at once, not by a thread. Ours: that takes some ten microseconds. */
export const SMALL_FILE_BYTES = 65_536

/** `receiveFile` gathers so many bytes for one write. Ours: measured, larger ones are slower. */
export const GATHER_BYTES = 1_048_576

/** ... or so many pieces. From POSIX: Linux takes IOV_MAX = 1024 in one call. */
export const GATHER_PIECES = 1024

/** Characters of a name that is shown to people. Ours. */
export const MAX_SHOWN_CHARACTERS = 200

/** Small files that are written, brought to the disk and named together. Ours: the more, the less each costs; all of them are open at a time. */
export const BATCH_FILES = 256

/** ... and their bytes. Ours. */
export const BATCH_BYTES = 1_048_576

/** Batches of one call on their way at a time: while one is brought to the disk, the next is written. Ours. */
export const BATCHES = 2

/** From so many new files on, the whole file system is brought to the disk before they are synced one by one. Ours: below, that takes longer. */
export const FLUSH_FROM_FILES = 8

/** ... unless so many bytes of others wait for disks: whoever flushes waits for them, too. Ours: a second of a slow disk. */
export const BUSY_DISK_BYTES = 134_217_728
