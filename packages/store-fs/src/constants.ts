/** Where committed objects live, below the store's directory; one folder for each value of the id's first byte. Ours. */
export const OBJECTS_FOLDER = 'objects'

/** Where unfinished objects live. Ours. */
export const PARTIAL_FOLDER = 'partial'

/** Where the sockets live by which two nodes notice each other. Ours. */
export const LOCK_FOLDER = 'lock'

/** Holds the id of the boot under which the store was last open. Ours. */
export const BOOT_FILE = 'boot'

/** Hex digits of an object's id: 16 bytes, as MDSFTP has them. */
export const ID_DIGITS = 32

/** Files of uploads that wait for their commit, and are kept open for it. Ours. */
export const MAX_KEPT_FILES = 64

/** Objects of which is known that they were read. Ours: some 100 bytes each. */
export const MAX_READ_OBJECTS = 1024

/** How long a node that holds the lock has to say so before it is taken at its silence. Ours. */
export const LOCK_ANSWER_MS = 500

/** How long a node waits for another one that started at the same moment and must give way. Ours. */
export const LOCK_SETTLE_MS = 2000

/** Files looked at side by side while a directory is listed. Ours. */
export const LIST_BATCH_FILES = 64

/** Reads and writes of at most so many bytes need no thread. Ours: the system copies them in less time than it takes to wake one. */
export const AT_ONCE_BYTES = 65_536

/** How long calls to the disk may hold up the event loop in one stroke. Ours. */
export const LOOP_MS = 2

/** The share of all time that they may take. Ours. */
export const LOOP_SHARE = 0.5
