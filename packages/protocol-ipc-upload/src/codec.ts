/**
 * The wire alone, for tools that record, inspect or forge.
 *
 * @module
 */
export { decodeBase64, encodeBase64 } from './base64-codec.ts'
export { FinalError, FinalType, LibraryType, ReadmeType, Reason } from './constants.ts'
export type { RawBlock, Taken, TakenBlock } from './block-codec.ts'
export { describeFrame, ipcUploadInspector, isUserType, StreamDescriber } from './describe-codec.ts'
export type { DescribedMessage, FrameFields, Profile } from './describe-codec.ts'
export { IpcUploadError } from './errors.ts'
export type { IpcUploadErrorCode, IpcUploadErrorOptions, IpcUploadErrorScope } from './errors.ts'
export { decodeFinal, encodeFinal } from './final-codec.ts'
export type {
  ChunkInfo, Download, DownloadOk, Failure, FileInfo, FinalAnswer, FinalMessage, FinalRequest, GetChunk, GetChunkOk, GetRange, Login, LoginOk, Piece, PutChunk, PutChunkOk, Upload, UploadOk
} from './final-codec.ts'
export { decodePacket, Deframer, encodeFrame, frameReader, headerBytes } from './frame-codec.ts'
export type { Frame, FrameReader, Framing } from './frame-codec.ts'
export { decodeReadme, encodeReadme } from './readme-codec.ts'
export type { AnnouncedFile, Authentication, DataEncoding, Encoded, MissingRange, ReadmeMessage, Response, Transfer } from './readme-codec.ts'
