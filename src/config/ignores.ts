import { type FilterOption, isEmptyRule } from '../package/rsync-filter.ts'
import * as kinds from './kinds.ts'
import { found } from './problems.ts'

/** In double quotes of a shell: an escaped character, or what the shell would replace, or the end of the quotes. */
const shellSyntax = /\\["$`\\\n]|\\$|["`]|\$[\w{(@*#?$!-]/g

/**
 * The rsync options that shipit-deploy makes of `ignores`, and one complete line for each pattern that cannot be one. It
 * writes the patterns into a shell's double quotes: a backslash there escapes `"`, `$`, a backquote and itself.
 */
export function readIgnores(ignores: unknown): { options: FilterOption[]; problems: string[] } {
  if (!ignores) return { options: [], problems: [] }
  if (!Array.isArray(ignores) || !ignores.every((pattern) => typeof pattern === 'string'))
    return { options: [], problems: [`ignores is ${found(ignores)}: allowed: ${kinds.patterns.allowed}`] }
  const patterns = ignores.map(unquoted)
  return {
    options: patterns.map((pattern) => ({ kind: 'exclude', pattern })),
    problems: ignores.flatMap((written, index) => problemOf(written, patterns[index] as string)),
  }
}

const isEscape = (syntax: string) => syntax.length === 2 && syntax.startsWith('\\')

function unquoted(written: string): string {
  return written.replace(shellSyntax, (syntax) =>
    isEscape(syntax) ? syntax.slice(1).replace('\n', '') : syntax,
  )
}

function problemOf(written: string, pattern: string): string[] {
  const replaced = written.match(shellSyntax)?.find((syntax) => !isEscape(syntax))
  if (replaced !== undefined)
    return [
      `ignores has ${found(written)}, where shipit-deploy's shell takes ${found(replaced)} for its own: allowed: \\${replaced[0]} for the character itself`,
    ]
  if (written.includes('\0')) return [`ignores has ${found(written)}: allowed: patterns without a zero byte`]
  if (isEmptyRule(pattern)) return [`ignores has ${found(written)}: allowed: a pattern after the prefix`]
  return []
}
