/**
 * Upload with a token over libipc, acknowledged chunk by chunk.
 *
 * @module
 */
export { IpcUploadError } from './errors.ts'
export type { IpcUploadErrorCode, IpcUploadErrorOptions, IpcUploadErrorScope } from './errors.ts'
export { describeFrame, ipcUploadInspector } from './describe-codec.ts'
export type { Profile } from './describe-codec.ts'
