import ignore from 'ignore'

/** Whether a path, relative to the packaged directory, is left out. It is not called for entries of an excluded directory. */
export type Excludes = (path: string, isDirectory: boolean) => boolean

/** The same for paths below `directory`; others are not left out. */
export const below =
  (directory: string, excludes: Excludes): Excludes =>
  (path, isDirectory) =>
    path.startsWith(`${directory}/`) && excludes(path.slice(directory.length + 1), isDirectory)

/** Patterns in the syntax of .gitignore. */
export function gitIgnore(patterns: readonly string[]): Excludes {
  const rules = ignore({ ignorecase: false }).add(patterns)
  return (path, isDirectory) => rules.ignores(isDirectory ? `${path}/` : path)
}
