/** What went wrong, stable across releases. Match on this, never on `message`. */
export type TreeErrorCode =
  /** A file changed while it was read. */
  | 'ERR_TREE_CHANGED'
  /** A name, a path or an order that no tree has. */
  | 'ERR_TREE_NAME'
  /** What should be written exists. */
  | 'ERR_EXISTS'
  /** A symbolic link, or something else, stands where a folder should. */
  | 'ERR_SYMLINK'
  /** What the tree asks for needs rights that we do not have. */
  | 'ERR_PERMISSION'
  /** This machine lacks a program or a file system that can do it. */
  | 'ERR_UNSUPPORTED'
  | 'ERR_NO_SPACE'
  | 'ERR_IO'

export interface TreeErrorOptions {
  cause?: unknown
  /** The node that it is about. */
  path?: string | undefined
  /** True when whoever made the tree is at fault. */
  remote?: boolean | undefined
}

export class TreeError extends Error {
  override readonly name = 'TreeError'
  readonly code: TreeErrorCode
  readonly scope = 'transfer'
  readonly remote: boolean
  readonly path: string | undefined

  constructor (code: TreeErrorCode, message: string, options: TreeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.path = options.path
    this.remote = options.remote ?? false
  }
}

/** Turns what the operating system said into a coded error. What is coded already passes unchanged. */
export function treeError (error: unknown, doing: string, path: string): TreeError {
  if (error instanceof TreeError) return error
  const system = systemCode(error)
  const code = system === undefined ? 'ERR_IO' : CODES[system] ?? 'ERR_IO'
  return new TreeError(code, `${doing} ${JSON.stringify(path)}: ${system ?? String(error)}`, { cause: error, path })
}

/** The `errno` name that Node attaches, for instance `ENOENT`. */
export function systemCode (error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

const CODES: Readonly<Record<string, TreeErrorCode>> = {
  ENOSPC: 'ERR_NO_SPACE', EDQUOT: 'ERR_NO_SPACE', EFBIG: 'ERR_NO_SPACE', EPERM: 'ERR_PERMISSION', EACCES: 'ERR_PERMISSION', EEXIST: 'ERR_EXISTS', ENOTEMPTY: 'ERR_EXISTS',
  ELOOP: 'ERR_SYMLINK', ENOTDIR: 'ERR_SYMLINK', ENOTSUP: 'ERR_UNSUPPORTED', EOPNOTSUPP: 'ERR_UNSUPPORTED'
}
