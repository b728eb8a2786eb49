import ignore from 'ignore'

/** Whether a path, relative to what is packaged, stays out. It is not asked about what lies in a directory that does. */
export type Excludes = (path: string, isDirectory: boolean) => boolean

/** Patterns in the syntax of .gitignore. */
export function gitIgnore(patterns: readonly string[]): Excludes {
  const rules = ignore({ ignorecase: false }).add(patterns)
  return (path, isDirectory) => rules.ignores(isDirectory ? `${path}/` : path)
}
