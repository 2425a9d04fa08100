/**
 * Write files under names that somebody else chose, safely.
 *
 * @module
 */
export { diskMemory, sharedMemory } from '@ropewalk/disk'
export {
  BATCH_BYTES, BATCH_FILES, GATHER_BYTES, GATHER_PIECES, KEEP_MS, MAX_COMPONENT_BYTES, MAX_NAME_BYTES, MAX_NAME_DEPTH, MAX_OPEN_ATTEMPTS, MAX_RENAME_ATTEMPTS, MAX_SHOWN_CHARACTERS,
  MAX_TARGET_BYTES, MAX_TRANSFER_FILES, STALE_AFTER_MS
} from './constants.ts'
export { dangerOf } from './danger.ts'
export type { Confinement } from './directory.ts'
export { ReceiveError } from './errors.ts'
export type { ReceiveErrorCode, ReceiveErrorOptions } from './errors.ts'
export { escapeName } from './escape.ts'
export type { PartWriter, ReceivedFile, ReceiveWriter } from './file-writer.ts'
export { checkTarget } from './link.ts'
export type { Links } from './link.ts'
export { normaliseName } from './name.ts'
export type { NameOptions, NameRule } from './name.ts'
export type { Overwrite } from './placement.ts'
export { receiveFile } from './receive-file.ts'
export { openReceiver } from './receiver.ts'
export type { FileOptions, FolderOptions, LinkOptions, Receiver, ReceiverOptions, ReceiveTransfer, TransferOptions, WholeFile } from './receiver.ts'
