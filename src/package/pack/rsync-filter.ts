import { isAscii } from '../../files/entry.ts'
import type { Excludes } from './excludes.ts'
import { compileWildcards, matches } from './wildcards.ts'

/** The value of rsync's `--exclude` or `--include`. */
export interface FilterOption {
  kind: 'exclude' | 'include'
  pattern: string
}

interface Rule {
  isExclude: boolean
  matches: Matcher
}

/** The path has one character for each of its bytes. */
type Matcher = (path: string, isDirectory: boolean) => boolean

/**
 * The paths that rsync leaves out with these options: the first pattern that matches decides. Paths are relative to the root of
 * the transfer. The language is that of rsync(1), SIMPLE INCLUDE/EXCLUDE RULES: `+ ` or `- ` before a pattern makes it an include
 * or an exclude, and `!` alone drops all patterns before it.
 */
export function rsyncFilter(options: readonly FilterOption[]): Excludes {
  let rules: Rule[] = []
  for (const { kind, pattern } of options) {
    const prefix = /^[+-] /.exec(pattern)?.[0]
    const isExclude = prefix === undefined ? kind === 'exclude' : prefix === '- '
    if (pattern === '!') rules = []
    else if (pattern !== '') rules.push({ isExclude, matches: matcher(pattern.slice(prefix?.length ?? 0)) })
  }
  return (path, isDirectory) => {
    const bytes = bytewise(path)
    return rules.find((rule) => rule.matches(bytes, isDirectory))?.isExclude ?? false
  }
}

/** A rule that has a prefix but no pattern, which rsync refuses. */
export const isEmptyRule = (pattern: string): boolean => pattern === '+ ' || pattern === '- '

function matcher(pattern: string): Matcher {
  const onlyDirectories = pattern.length > 1 && pattern.endsWith('/')
  const text = onlyDirectories ? pattern.slice(0, -1) : pattern
  const match = /[*?[]/.test(text) ? wildcardMatcher(text) : literalMatcher(text)
  return (path, isDirectory) => (isDirectory || !onlyDirectories) && match(path, isDirectory)
}

/** In a pattern without wildcards a backslash is an ordinary character. */
function literalMatcher(text: string): Matcher {
  const bytes = bytewise(text)
  if (bytes.startsWith('/')) return (path) => path === bytes.slice(1)
  const tail = `/${bytes}`
  return (path) => path === bytes || path.endsWith(tail)
}

function wildcardMatcher(text: string): Matcher {
  const isAnchored = text.startsWith('/')
  const wildcards = compileWildcards(Buffer.from(isAnchored ? text.slice(1) : text))
  const slashes = text.split('/').length - 1
  const spansSlashes = text.includes('**')
  // `**/x` matches x at the root, too: there the path counts as if a slash began it.
  const lead = text.startsWith('**') ? '/' : ''
  // `x/***` matches x itself, as if it ended in a slash.
  const trail = text.endsWith('***') ? '/' : ''
  return (path, isDirectory) => {
    const ends = isDirectory ? trail : ''
    const full = `${lead}${path}${ends}`
    if (isAnchored || lead !== '') return matches(wildcards, full, [0])
    if (slashes === 0 && !spansSlashes) return matches(wildcards, full.slice(full.lastIndexOf('/') + 1), [0])
    const starts = elementStarts(full)
    if (spansSlashes) return matches(wildcards, full, starts)
    const start = starts.at(-1 - slashes)
    return start !== undefined && matches(wildcards, full.slice(start), [0])
  }
}

/** The positions at which the elements of a path begin. */
function elementStarts(path: string): number[] {
  const starts = [0]
  for (let at = 0; at < path.length; at++) if (path[at] === '/') starts.push(at + 1)
  return starts
}

/** rsync compares bytes. */
function bytewise(text: string): string {
  return isAscii(text) ? text : Buffer.from(text).toString('latin1')
}
