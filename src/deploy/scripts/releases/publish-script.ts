import { posix } from 'node:path'
import { quote, quotePath } from '../../../text/shell-quote.ts'
import { NO_FENCE } from '../fence-script.ts'
import { CANNOT_WRITE, REMOVE } from '../shell-functions.ts'
import { type Author, historyFunctions } from './history-script.ts'

/** A release on the servers. `isNew`: this run has put it there, so it is removed when it cannot be published. */
export interface Publication {
  release: string
  isNew: boolean
  /**
   * Whether this is a rollback. A later rollback does not go to the release that this one leaves, until that is published again.
   */
  isRollback?: boolean
  /** Called once servers have gone back to their earlier `release`: all of them, or those of one group. */
  onReverted?: (release: string, how: { isWhole: boolean }) => Promise<void>
}

/** What guards a change: it runs right before that, and in the script that takes it back. */
export interface Guarding {
  arm?: string
  standDown?: string
}

/**
 * Points `current` to the release. Prints `was=` and what the link was before. What cannot be noted in the history is not
 * published; the release itself is noted afterwards, when it is true. `fence` defines the function of that name. `arm` finds the
 * new link in `$r` and the old one in `$was`.
 */
export function publishScript(
  deployTo: string,
  { release, isRollback = false }: Pick<Publication, 'release' | 'isRollback'>,
  author: Author,
  fence = NO_FENCE,
  { arm = '' }: Guarding = {},
): string {
  return `${fence}
${CANNOT_WRITE}
fence || exit 1
${enter(deployTo, quote(release))}
${historyFunctions(deployTo, author)}
if [ -e current ] && [ ! -L current ]; then fail "$PWD/current is a directory, not a link: move it away"; fi
[ -d "$r" ] || fail "$PWD/$r is not there: deploy again"
was=$(readlink current)
printf 'was=%s\\n' "$was"
x=\${was%/}; x=\${x##*/}
begin_history "\${r##*/}" || cannot_write "$PWD/.murder-history"
if [ -n "$x" ] && [ -d "releases/$x" ] && [ "releases/$x" != "$r" ]; then
  note ${isRollback ? 'rolled-back-from' : 'was-live'} "$x" || cannot_write "$PWD/.murder-history"
fi
${arm}
link "$r"
[ current -ef "$r" ] || fail "$PWD/current does not point to $r afterwards"
note live "\${r##*/}" && sync_history || cannot_write "$PWD/.murder-history"`
}

/**
 * `link`: the earlier link, an empty text for none; undefined where the link was not touched. If another deploy has published
 * since, or is running, nothing changes: the release is what that deploy would go back to.
 */
export function revertScript(
  deployTo: string,
  { release, isNew }: Publication,
  link: string | undefined,
  author: Author,
  fence = NO_FENCE,
  { standDown = '' }: Guarding = {},
): string {
  const isOwn = link === undefined || link === `releases/${release}`
  const mayTakeBack = `${fence}
if [ "$(readlink ${quotePath(posix.join(deployTo, 'current'))})" = ${quote(`releases/${release}`)} ]; then fence_back || exit 1; fi`
  const remove = `if [ "$(readlink current)" != "$r" ] && [ -d "$r" ]; then
  note failed "\${r##*/}"; remove_tree "$r"
fi`
  return `${standDown}
${isOwn ? '' : mayTakeBack}
${enter(deployTo, quote(release))}
${historyFunctions(deployTo, author)}
${isNew ? REMOVE : ''}
begin_history "\${r##*/}"
${isOwn ? '' : `former=${quote(link ?? '')}\n${TAKE_BACK} *) exit 0 ;; esac`}
${isNew ? remove : ''}
sync_history`
}

/**
 * The first cases of `case`, without its end: where `current` is the release `$r` it becomes `$former` again, which is empty where
 * there was none.
 */
const TAKE_BACK = `case "$(readlink current)" in
  "$r")
    if [ -n "$former" ]; then link "$former"; else rm -f current; fi
    note reverted "\${r##*/}"
    x=\${former%/}; x=\${x##*/}; if [ -n "$x" ] && [ -d "releases/$x" ]; then note live "$x"; fi ;;
  "$former") ;;`

/**
 * For a guard, which knows the release and what was before only as `$release` and `$former`: the same as `revertScript`, but that
 * nothing is removed. Ends with 1 where `current` is neither.
 */
export const guardRevertScript = (deployTo: string, who: string): string => `(
${enter(deployTo, '"$release"')}
${historyFunctions(deployTo, { who })}
if [ -n "$former" ] && [ ! -d "$former" ]; then exit 1; fi
begin_history "\${r##*/}"
${TAKE_BACK}
  *) exit 1 ;;
esac
sync_history
)`

/**
 * Goes to `deployTo` and sets `r` to the release. No other text may become the target of a link, or be removed: `releases/` itself
 * is a directory, too. `link` renames a new link over the old one, so that there is one at every moment.
 */
const enter = (deployTo: string, release: string) => `cd ${quotePath(deployTo)} || exit 1
fail() { echo "$1" >&2; exit 1; }
r=${release}
case "$r" in ''|.*|*/*) fail "'$r' is no name of a release" ;; esac
r="releases/$r"
n=".current-$$"
link() {
  # GNU and busybox have -T, the BSDs -h. Without either the link would be moved into the directory.
  ln -nfs "$1" "$n" && { mv -fT "$n" current || mv -fh "$n" current 2>/dev/null; } || { rm -f "$n"; exit 1; }
}`
