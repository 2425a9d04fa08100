/**
 * Upload with a token over libipc, acknowledged chunk by chunk.
 *
 * @module
 */
export { chunkId } from './chunk-id-codec.ts'
export { upload } from './client.ts'
export type { ClientOptions, UploadFile, UploadOptions, UploadResult } from './client.ts'
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
