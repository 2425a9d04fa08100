import { readFileSync } from 'node:fs'

/** What the build has noted beside its files: see `build/note-commit.mjs`. */
export interface Build {
  /** Of the commit, the first 12 digits. */
  readonly commit: string
  /** Files of the commit had been changed. */
  readonly changed: boolean
}

/** The version in this package's manifest, which lies beside `src` and `dist`. */
export function version (): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  return manifest.version
}

/** From what this program was built; undefined where nobody has noted it, as when its sources run themselves. */
export function build (): Build | undefined {
  try {
    return JSON.parse(readFileSync(new URL('./build.json', import.meta.url), 'utf8')) as Build
  } catch {
    return undefined
  }
}

/** `0.1.0 (commit fa0de6299c1e)`. */
export function describeBuild (noted: Build | undefined = build()): string {
  return `${version()} (${noted === undefined ? 'commit not known' : `commit ${noted.commit}${noted.changed ? ', with changes' : ''}`})`
}
