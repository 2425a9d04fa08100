/**
 * Upload with a token over libipc, acknowledged chunk by chunk.
 *
 * @module
 */
export { chunkId } from './chunk-id-codec.ts'
export { upload } from './client.ts'
export type { ClientOptions, UploadFile, UploadOptions, UploadResult } from './client.ts'
export {
  MAX_PAYLOAD_BYTES, MIN_BLOCK_BYTES, MAX_BLOCK_BYTES, MAX_WINDOW, MAX_RANGE_BYTES, MAX_TOKEN_CHARACTERS,
  MAX_ID_BYTES, MAX_ECHO_CHARACTERS, MAX_TAGS, MAX_TAG_BYTES, MAX_NAME_BYTES, MAX_FILES,
  MAX_FILE_BYTES, MAX_CHUNKS, MAX_OPEN_TRANSFERS, MAX_TOKEN_TRIES, MAX_MALFORMED, MAX_STRAY_RESPONSES,
  MAX_RETRIES, ANSWER_TIMEOUT_MS, IDLE_TIMEOUT_MS, LINGER_BYTES, LEEWAY_MS, MIN_KEY_BYTES,
  MAX_UID
} from './constants.ts'
export { describeFrame, ipcUploadInspector } from './describe-codec.ts'
export type { DescribedMessage, FrameFields, Profile } from './describe-codec.ts'
export { IpcUploadError } from './errors.ts'
export type { IpcUploadErrorCode, IpcUploadErrorOptions, IpcUploadErrorScope } from './errors.ts'
export { downloadFinal, uploadFinal } from './final-client.ts'
export type { DigestFile, FinalDownloadOptions, FinalOptions, FinalUploadResult } from './final-client.ts'
export type { FileInfo } from './final-codec.ts'
export { UploadNode } from './node.ts'
export type { UploadNodeOptions } from './node.ts'
export type { Block, Clock, FoundFile, Hashes, Identity, MachineBase64, PlannedFile, StoredUpload, UploadPlan, UploadStore, VerifyToken, WantedFile } from './ports.ts'
export type { MissingRange } from './readme-codec.ts'
export { serve } from './server.ts'
export type { ServeOptions } from './server.ts'
