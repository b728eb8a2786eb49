import { posix } from 'node:path'
import { stay } from '../../fleet/persistent-shell-script.ts'
import { KEEP_LIBRARY } from '../../fleet/script-library-script.ts'
import { quote, quotePath } from '../../text/shell-quote.ts'
import { tellDrainedScript } from './drained-script.ts'
import { tellGuardScript } from './guard/tell-guard-script.ts'
import { CANNOT_WRITE, SAY, STARTED, STILL_RUNS } from './shell-functions.ts'
import { parseValues } from './values.ts'

/** The owner of a lock. Times are the deploy host's, for people only: no clock is compared with another. */
export interface LockOwner {
  /** Ids that were made by one clock sort by time. */
  id: string
  who: string
  what: string
  when: string
  /** `deploy` ends with its process, `manual` with murder:unlock. */
  kind: 'deploy' | 'manual'
  /** The process on the deploy host, as `nameOwnProcess` gives it; empty when unknown. */
  process: string
}

/** A lock on one server. */
export interface FoundLock extends LockOwner {
  /** Seconds since it was taken, by the server's own clock. */
  age: number
}

/** Targets that `current` may have on one server if nobody else has published: the texts of the link. */
export interface KnownLinks {
  deployTo: string
  links: readonly string[]
}

/** Minutes without a sign of life after which a deploy's lock counts as left behind. */
const LEASE_MINUTES = 2
/** How often the file of a held lock is touched. */
export const TOUCH_EVERY_S = 5

const pathOf = (remotePath: string) => posix.join(remotePath, 'lock')

/**
 * The lock is one file, made by `ln`, which is atomic and refuses to replace. Its lines: id, kind, the owner as JSON, the
 * server's time, pid and start time of the process that holds it; a pid alone may be another program's by now. The file is read
 * at once, because it may be replaced at any moment. A deploy's lock whose id is in `ended` counts as left behind in any case. A
 * lock that is empty (after a power failure), unreadable or not a file is judged only by its age.
 */
export const lockFunctions = (
  remotePath: string,
  ended: readonly string[] = [],
) => `l=${quotePath(pathOf(remotePath))}; last="\${l%/*}/last-lock"
${SAY}
${STARTED}
${STILL_RUNS}
read_lock() {
  id_of=; kind=; about=; since=; holder=
  [ -f "$1" ] || return 0 # A pipe would be waited for.
  { IFS= read -r id_of; IFS= read -r kind; IFS= read -r about; IFS= read -r since; IFS= read -r holder; } 2>/dev/null <"$1"
}
look() { read_lock "$l"; [ -e "$l" ] || [ -L "$l" ]; }
left() {
  case "$kind$id_of$about" in deploy*|'') ;; *) return 1;; esac
  ${ended.length > 0 ? `case "$id_of" in ${ended.map(quote).join('|')}) return 0;; esac` : ''}
  [ -z "$(find "$l" -mmin +${LEASE_MINUTES} 2>/dev/null)" ] || return 0
  [ -n "$holder" ] && [ -O "$l" ] && ! still_runs \${holder% *} "\${holder#* }"
}
tell() {
  case "$since" in ''|*[!0-9]*) since=$(date -r "$l" +%s 2>/dev/null) || since=$(date +%s);; esac
  say lock.owner "$about"; say lock.age "$(($(date +%s) - since))"
}`

/**
 * Makes the lock of the file `$1`, unless there is one: `ln` is atomic and refuses to replace. Where there are no hard links, the
 * shell's `set -C` refuses, too (O_EXCL); for a moment the lock is then empty, which holds others off as well. Into a directory
 * `ln` would put a link, and a pipe `set -C` would write.
 */
const PLACE_LOCK = `place_lock() {
  [ ! -e "$l" ] && { ln "$1" "$l" 2>/dev/null || ( set -C; umask 022; cat "$1" >"$l" ) 2>/dev/null; }
}`

/**
 * Shell function `take [again]`: takes the lock, or prints its owner. Replaces a lock that was left behind, unless another deploy
 * was faster. `again`: refuses when `current` has changed since this owner first took the lock. `last-lock` is a copy of the last
 * lock. It stays when the lock ends, to tell whose it was. All users can read the lock, whatever the umask.
 */
export const takeFunction = ({ id, kind, ...about }: LockOwner, known?: KnownLinks) => `id=${quote(id)}
${PLACE_LOCK}
${CANNOT_WRITE}
link_now() { ${known ? `readlink ${quotePath(posix.join(known.deployTo, 'current'))}` : 'false'}; }
has_changed() { seen_link=$(link_now); case "$seen_link" in ${(known?.links ?? []).map(quote).join('|') || '/'}) return 1;; esac; }
take() {
  mine="$l.$id"; started $$; self="$$ $start"
  ( umask 022; printf '%s\\n' "$id" ${quote(kind)} ${quote(JSON.stringify({ id, kind, ...about }))} "$(date +%s)" "$self" >"$mine" ) 2>/dev/null || cannot_write "$mine"
  sync "$mine" 2>/dev/null
  tries=0
  until place_lock "$mine"; do
    tries=$((tries + 1))
    if look; then
      other=$id_of
      if [ "$other" = "$id" ]; then mv -f "$mine" "$l"; return; fi
      if [ "$tries" -gt 20 ] || ! left; then rm -f "$mine"; tell; return 1; fi
      mv "$l" "$mine.old" 2>/dev/null || continue
      read_lock "$mine.old"
      [ "$id_of" = "$other" ] || place_lock "$mine.old"
      rm -rf "$mine.old"
    elif [ "$tries" -gt 20 ]; then rm -f "$mine"; echo "$l cannot be made" >&2; exit 1
    fi
  done
  if [ "$1" = again ] && has_changed; then rm -f "$l" "$mine"; read_lock "$last"; return 2; fi
  mv -f "$mine" "$last"
}`

/**
 * Takes the lock and keeps it until its standard input ends. If another deploy has the lock, it says so and ends; with `again`
 * also if `current` is none of the known links. `after` runs once it is locked; then `current` is printed.
 */
export function holdLockScript(
  remotePath: string,
  owner: LockOwner,
  {
    after = '',
    ended = [],
    known,
    again = false,
  }: { after?: string; ended?: readonly string[]; known?: KnownLinks; again?: boolean } = {},
): string {
  return `${lockFunctions(remotePath, ended)}
${takeFunction(owner, known)}
take ${again ? 'again' : ''} || exit 0
own() { look && [ "$id_of" = "$id" ]; }
drop() { own && [ "$holder" = "$self" ] && rm -f "$l"; }
trap drop EXIT; trap 'exit 1' HUP INT TERM
say lock.current "$(link_now)"
${KEEP_LIBRARY}
${tellDrainedScript(remotePath)}
(${tellGuardScript(remotePath)})
${after}
say lock.taken yes
touched=0
${stay(TOUCH)}`
}

/**
 * Runs at each sign of life, every two seconds, so it should not start a program each time. `now` is the shell's clock. A guard sees
 * the sign by its file.
 */
const TOUCH = `if [ $((now - touched)) -ge ${TOUCH_EVERY_S} ] && own; then
  touched=$now; touch -c "$l"
  [ ! -e "\${l%/*}/guard/silent" ] || rm -f "\${l%/*}/guard/silent"
fi`

/** Makes the directory of the lock. */
export const makePlaceScript = (remotePath: string) => `mkdir -p ${quotePath(remotePath)} || exit 1`

/** Takes a manual lock, which stays. */
export function takeLockScript(remotePath: string, owner: LockOwner): string {
  return `${makePlaceScript(remotePath)}
${lockFunctions(remotePath)}
${takeFunction(owner)}
if take; then say lock.taken yes; fi`
}

export function lockStatusScript(remotePath: string): string {
  return `${lockFunctions(remotePath)}\nif look && ! left; then tell; fi\n${tellDrainedScript(remotePath)}`
}

/** Removes the lock, whoever owns it, and tells what it was. */
export function breakLockScript(remotePath: string): string {
  return `${lockFunctions(remotePath)}\nif look; then tell; rm -rf "$l" || exit 1; fi`
}

/** Removes the lock of this owner, and no other. */
export const removeLockScript = (remotePath: string, { id }: LockOwner) =>
  `${lockFunctions(remotePath)}\nif look && [ "$id_of" = ${quote(id)} ]; then rm -f "$l"; fi`

/** The target of `current` when the lock was taken; an empty text where there was none. */
export const parseLink = (output: string): string => parseValues(output).get('lock.current') ?? ''

/** The deploy that has left the server out of service. */
export const parseDrained = (output: string): string | undefined => parseValues(output).get('drained')

/** The lock that a script has taken or found, if any. */
export function parseLock(output: string): 'taken' | FoundLock | undefined {
  const values = parseValues(output)
  if (values.get('lock.taken') === 'yes') return 'taken'
  const text = values.get('lock.owner')
  if (text === undefined) return undefined
  const unknown: LockOwner = {
    id: '',
    who: 'somebody',
    what: 'something',
    when: '?',
    kind: 'manual',
    process: '',
  }
  return { ...unknown, ...parseOwner(text), age: Number(values.get('lock.age')) || 0 }
}

/** The lock of somebody else that a script has found. */
export function othersLock(output: string): FoundLock | undefined {
  const lock = parseLock(output)
  return lock === 'taken' ? undefined : lock
}

/** Another machine wrote it, perhaps another version, so only values of the right type count. */
function parseOwner(text: string): Partial<LockOwner> {
  try {
    const value = JSON.parse(text) as Record<string, unknown> | null
    const known = ['id', 'who', 'what', 'when', 'process'].flatMap((key) => {
      const part = value?.[key]
      return typeof part === 'string' ? [[key, part] as const] : []
    })
    return { ...Object.fromEntries(known), kind: value?.kind === 'deploy' ? 'deploy' : 'manual' }
  } catch {
    return {} // It is half written, or written by hand.
  }
}
