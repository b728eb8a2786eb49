import { isEmptyRule } from '../../package/pack/rsync-filter.ts'
import { isGroup } from '../keys.ts'
import * as paths from '../kinds/paths.ts'
import { found } from '../problems.ts'
import { type RsyncArguments, readRsyncArguments } from './rsync-arguments.ts'
import { shellWords } from './shell-words.ts'

/** The part of shipit's configuration that decides which files shipit-deploy copies. */
export interface CopyInput {
  ignores?: unknown
  rsync?: unknown
  deploy?: unknown
}

/** How shipit-deploy would let rsync copy. */
export interface CopyOptions extends RsyncArguments {
  /** The directory itself goes into the release, not only its entries. */
  asDirectory: boolean
}

/** Options that change no file, because they are for the process of rsync. */
const harmless = ['maxBuffer', 'stdout', 'stderr']
const known = ['copyAsDir', 'rsync', 'ignores']

/**
 * Reads shipit's configuration as shipit-deploy does: `deploy.remoteCopy` takes precedence for `ignores` and `rsync`. Without it
 * `rsync` is not read, and its value is `--del`. Gives one complete line for each problem.
 */
export function readCopyOptions(config: CopyInput): { copy: CopyOptions; problems: string[] } {
  const wanted = isGroup(config.deploy) ? config.deploy.remoteCopy : undefined
  const group = isGroup(wanted) ? wanted : {}
  const has = (key: string) => Object.hasOwn(group, key)
  const args = readRsync(
    has('rsync') ? group.rsync : wanted ? config.rsync : '--del',
    has('rsync') ? 'deploy.remoteCopy.rsync' : 'rsync',
  )
  const ignores = readIgnores(
    has('ignores') ? group.ignores : config.ignores,
    has('ignores') ? 'deploy.remoteCopy.ignores' : 'ignores',
  )
  return {
    copy: {
      ...args.options,
      filter: [
        ...args.options.filter,
        ...ignores.patterns.map((pattern) => ({ kind: 'exclude' as const, pattern })),
      ],
      asDirectory: Boolean(group.copyAsDir),
    },
    problems: [
      ...(wanted && !isGroup(wanted)
        ? [`deploy.remoteCopy is ${found(wanted)}: allowed: an object with ${known.join(', ')}`]
        : []),
      ...Object.keys(group)
        .filter((key) => !known.includes(key) && !harmless.includes(key))
        .map((key) => `deploy.remoteCopy.${key} is no option of shipit-murder: allowed: ${known.join(', ')}`),
      ...args.problems,
      ...ignores.problems,
    ],
  }
}

/** This is shell text, which ssh-pool puts into its command unchanged. */
function readRsync(rsync: unknown, name: string) {
  const texts = rsync ? [rsync].flat() : []
  const args = texts.every((text) => typeof text === 'string') ? shellWords(texts.join(' ')) : undefined
  const read = readRsyncArguments(args ?? [], name)
  if (args) return read
  const problem = `${name} is ${found(rsync)}: allowed: options in quotes that a shell passes on as they are, such as ["--exclude='*.log'"]`
  return { ...read, problems: [problem] }
}

/** ssh-pool writes each pattern into double quotes of a shell. */
function readIgnores(ignores: unknown, name: string): { patterns: string[]; problems: string[] } {
  if (!ignores) return { patterns: [], problems: [] }
  if (!Array.isArray(ignores) || !ignores.every((pattern) => typeof pattern === 'string'))
    return { patterns: [], problems: [`${name} is ${found(ignores)}: allowed: ${paths.patterns.allowed}`] }
  const patterns: string[] = []
  const problems: string[] = []
  for (const written of ignores) {
    const [pattern, ...more] = shellWords(`"${written}"`) ?? []
    if (pattern === undefined || more.length > 0)
      problems.push(
        `${name} has ${found(written)}, which a shell would not pass on as it is: allowed: a backslash before $, " and backquotes, and before a \\ at the end`,
      )
    else if (isEmptyRule(pattern)) problems.push(`${name} has ${found(written)}: allowed: a pattern after it`)
    else patterns.push(pattern)
  }
  return { patterns, problems }
}
