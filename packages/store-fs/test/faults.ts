import { nodeFileSystem, type FileSystem, type StoreFile } from '../src/index.ts'

/** Decides what becomes of the `count`th call of that name for that path: an error to throw, a number of bytes for a short write, or nothing to let it pass. */
export type Fault = (call: { name: string, path: string, count: number }) => Error | number | undefined

/** A file system that does what the real one does, unless `fault` says otherwise. Remembers what was called. */
export function faultyFileSystem (fault: Fault): FileSystem & { calls: string[] } {
  const calls: string[] = []
  const counts = new Map<string, number>()

  function decide (name: string, path: string): number | undefined {
    const count = (counts.get(`${name} ${path}`) ?? 0) + 1
    counts.set(`${name} ${path}`, count)
    calls.push(`${name} ${path}`)
    const decision = fault({ name, path, count })
    if (decision instanceof Error) throw decision
    return decision
  }

  return {
    ...nodeFileSystem,
    calls,
    async open (path, flags, mode) {
      decide('open', path)
      return wrap(await nodeFileSystem.open(path, flags, mode), path, decide)
    },
    mkdir: (async (path, options) => {
      decide('mkdir', String(path))
      return await nodeFileSystem.mkdir(path, options)
    }) as FileSystem['mkdir'],
    rename: async (from, to) => {
      decide('rename', String(from))
      await nodeFileSystem.rename(from, to)
    },
    unlink: async path => {
      decide('unlink', String(path))
      await nodeFileSystem.unlink(path)
    }
  }
}

/** The error that the system would give. */
export function systemError (code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code })
}

function wrap (handle: StoreFile, path: string, decide: (name: string, path: string) => number | undefined): StoreFile {
  const wrapped: Partial<StoreFile> = {
    write: async (bytes, offset, length = bytes.length - offset, position) => {
      const short = decide('write', path)
      return await handle.write(bytes, offset, Math.min(short ?? length, length), position)
    },
    writev: async (vectors, position) => {
      const short = decide('write', path)
      if (short == null) return await handle.writev(vectors, position)
      const joined = Buffer.concat(vectors)
      return await handle.write(joined, 0, Math.min(short, joined.length), position)
    },
    datasync: async () => {
      decide('datasync', path)
      await handle.datasync()
    },
    sync: async () => {
      decide('sync', path)
      await handle.sync()
    },
    truncate: async length => {
      decide('truncate', path)
      await handle.truncate(length)
    }
  }
  return new Proxy(handle, {
    get (target, key) {
      const own = Reflect.get(wrapped, key) as unknown
      if (own != null) return own
      const value = Reflect.get(target, key, target) as unknown
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
    }
  })
}
