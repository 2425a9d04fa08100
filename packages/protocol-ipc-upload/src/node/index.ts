/**
 * What Node adds: tokens, uploads in a folder, files to send.
 *
 * @module
 */
export { nodeHashes } from './hashes.ts'
export { openSigner, openVerifier } from './keys.ts'
export { FolderUploadStore, openUploadStore } from './store.ts'
export { issueToken, readIdentity, readJwksFile, readKeyFile, verifyWithKey, verifyWithPublicKeys } from './tokens.ts'
export type { IssueOptions, PublicKeysOptions, SharedKeyOptions, SigningKey, TokenAlgorithm, TokenRules } from './tokens.ts'
export { openUploadFile } from './upload-file.ts'
