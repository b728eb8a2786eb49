/** One of the changes that rsync's `--chmod` lists. */
export interface ModeChange {
  of: 'all' | 'directories' | 'files'
  keep: number
  set: number
  /** `X`: applies only to directories, and to files that were executable before. */
  executableOnly: boolean
}

const ALL_BITS = 0o7777
const places: Record<string, number> = { u: 0o100, g: 0o010, o: 0o001, a: 0o111 }
const rights: Record<string, number> = { r: 4, w: 2, x: 1, X: 1 }

/** Reads the value of rsync's `--chmod`; undefined when it is not valid. `umask` applies where no class is named, as in `+w`. */
export function parseModeChanges(text: string, umask: number): ModeChange[] | undefined {
  const changes = text.split(',').map((part) => parseChange(part, umask))
  return changes.every((change) => change !== undefined) ? changes : undefined
}

function parseChange(text: string, umask: number): ModeChange | undefined {
  const [, octalKind, octal] = /^([DF]?)([0-7]+)$/.exec(text) ?? []
  if (octal !== undefined) {
    const set = Number.parseInt(octal, 8)
    return set > ALL_BITS ? undefined : { of: kindOf(octalKind), keep: 0, set, executableOnly: false }
  }
  const [, who = '', operator, what = ''] = /^([DFugoa]*)([-+=])([rwxXst]*)$/.exec(text) ?? []
  if (operator === undefined || (who.includes('D') && who.includes('F'))) return undefined
  // For rsync 3.2 it means setuid only, for 3.5 also setgid.
  if (who.includes('a') && what.includes('s')) return undefined
  const named = [...who].reduce((bits, letter) => bits | (places[letter] ?? 0), 0)
  const right = [...what].reduce((bits, letter) => bits | (rights[letter] ?? 0), 0)
  const where = named || (places.a as number)
  const plain = named ? where * right : (where * right) & ~umask
  const owners = (who.includes('u') ? 0o4000 : 0) | (who.includes('g') ? 0o2000 : 0)
  const special = (what.includes('s') ? owners || 0o4000 : 0) | (what.includes('t') ? 0o1000 : 0)
  const set = plain | special
  const cleared = operator === '+' ? 0 : operator === '-' ? set : (where * 7) | (special ? owners : 0)
  return {
    of: kindOf(who),
    keep: ALL_BITS & ~cleared,
    set: operator === '-' ? 0 : set,
    executableOnly: what.includes('X'),
  }
}

function kindOf(who: string | undefined): ModeChange['of'] {
  if (who?.includes('D')) return 'directories'
  return who?.includes('F') ? 'files' : 'all'
}

export function changeMode(mode: number, isDirectory: boolean, changes: readonly ModeChange[]): number {
  const wasExecutable = (mode & 0o111) !== 0
  return changes.reduce((now, { of, keep, set, executableOnly }) => {
    if (of !== 'all' && (of === 'directories') !== isDirectory) return now
    const isHeld = executableOnly && !wasExecutable && !isDirectory
    return (now & keep) | (isHeld ? set & ~0o111 : set)
  }, mode)
}
