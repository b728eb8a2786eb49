import ignore from 'ignore'

/** Whether a path, relative to the packaged directory, is left out. It is not called for entries of a directory that is. */
export type Excludes = (path: string, isDirectory: boolean) => boolean

/** Patterns in the syntax of .gitignore. */
export function gitIgnore(patterns: readonly string[]): Excludes {
  const rules = ignore({ ignorecase: false }).add(patterns)
  return (path, isDirectory) => rules.ignores(isDirectory ? `${path}/` : path)
}
