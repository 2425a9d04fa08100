/**
 * What a peer is told of the files that are offered.
 *
 * @module
 */
import { ContentDigest, type ContentFacts } from './content-digest.ts'
import { WarpdriveError } from './errors.ts'
import type { NodeOptions } from './node-options.ts'
import type { OfferedFile } from './ports.ts'

type DescribeOptions = Pick<NodeOptions, 'extended' | 'files' | 'sha256'>

/** The entries below `path`, each file read once where it is told what is in it. */
export async function describeFiles (options: DescribeOptions, path: string, signal: AbortSignal | undefined): Promise<OfferedFile[]> {
  const listed = await options.files.list(path, { signal })
  // An empty list is what takes an offer back.
  if (listed.length === 0) throw new WarpdriveError('ERR_BAD_VALUE', 'there is nothing to offer', { remote: false })
  // Of a link no bytes follow, and the original counts on the size that it was told.
  const files = listed.map(file => file.link === undefined ? file : { ...file, size: 0 })
  if (options.extended === false) return files.map(({ sha256: _s, blocks: _b, mtimeMs: _m, ...file }) => file)
  return Promise.all(files.map(async file => file.isDir || file.link !== undefined || file.sha256 !== undefined ? file : { ...file, ...await factsOf(options, file, signal) }))
}

async function factsOf ({ files, sha256 }: DescribeOptions, file: OfferedFile, signal: AbortSignal | undefined): Promise<ContentFacts> {
  const digest = new ContentDigest(sha256, file.size)
  for await (const bytes of files.read(file.source, 0, file.size, { signal })) await digest.update(bytes)
  return await digest.digest()
}
