import type { Command } from './arguments.ts'

/** What can be completed. */
export interface Known {
  /** Commands that people use. */
  commands: string[]
  /** The command that the words name, when there is one. */
  command: Pick<Command, 'flags' | 'help' | 'positionals'> | undefined
  /** Tags of the processes that run here. */
  tags: string[]
  /** Shells that completion knows. */
  shells: string[]
}

/**
 * What the last of `words`, the arguments up to the cursor, can become; nothing where it is a path or a value that cannot be known.
 */
export function candidates(words: readonly string[], { commands, command, tags, shells }: Known): string[] {
  const last = words.at(-1) ?? ''
  const begins = (candidate: string) => candidate.startsWith(last)
  if (words.length < 2) return [...commands, '--help', '--version'].filter(begins)
  if (!command) return []
  const takesValue = (word: string | undefined) =>
    word?.startsWith('--') === true && command.flags[word.slice(2)]?.type === 'string'
  if (takesValue(words.at(-2))) return words.at(-2) === '--tag' ? tags.filter(begins) : []
  if (last.startsWith('--tag=') && takesValue('--tag'))
    return tags.map((tag) => `--tag=${tag}`).filter(begins)
  if (last.startsWith('-')) return flagsForPeople(command).filter(begins)
  const before = words
    .slice(1, -1)
    .filter((word, at, all) => !word.startsWith('-') && !takesValue(all[at - 1]))
  const wanted = command.positionals[before.length]
  if (wanted === '[tag]') return tags.filter(begins)
  return wanted === '<shell>' ? shells.filter(begins) : []
}

/** Those that the help names: the others are for the plugin. */
function flagsForPeople({ flags, help }: Pick<Command, 'flags' | 'help'>): string[] {
  const named = new Set(help.match(/--[a-z-]+/g))
  return [...Object.keys(flags).map((flag) => `--${flag}`), '--help'].filter(
    (flag) => flag === '--help' || named.has(flag),
  )
}
