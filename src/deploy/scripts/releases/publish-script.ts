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

/**
 * Points `current` to the release. Prints `was=` and the earlier link. If the history cannot be written, nothing is published.
 * The publication is noted afterwards, once it is true. `fence` defines the function of that name.
 */
export function publishScript(
  deployTo: string,
  { release, isRollback = false }: Pick<Publication, 'release' | 'isRollback'>,
  author: Author,
  fence = NO_FENCE,
): string {
  return `${fence}
${CANNOT_WRITE}
fence || exit 1
${enter(deployTo, release)}
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
): string {
  const isOwn = link === undefined || link === `releases/${release}`
  const back = link === '' ? 'rm -f current' : `link ${quote(link ?? '')}`
  const before = quote((link ?? '').replace(/\/+$/, '').replace(/^.*\//, ''))
  const mayTakeBack = `${fence}
if [ "$(readlink ${quotePath(posix.join(deployTo, 'current'))})" = ${quote(`releases/${release}`)} ]; then fence_back || exit 1; fi`
  const takeBack = `case "$(readlink current)" in
  "$r")
    ${back}
    note reverted "\${r##*/}"; x=${before}; if [ -d "releases/$x" ] && [ -n "$x" ]; then note live "$x"; fi ;;
  ${quote(link ?? '')}) ;;
  *) exit 0 ;;
esac`
  const remove = `if [ "$(readlink current)" != "$r" ] && [ -d "$r" ]; then
  note failed "\${r##*/}"; remove_tree "$r"
fi`
  return `${isOwn ? '' : mayTakeBack}
${enter(deployTo, release)}
${historyFunctions(deployTo, author)}
${isNew ? REMOVE : ''}
begin_history "\${r##*/}"
${isOwn ? '' : takeBack}
${isNew ? remove : ''}
sync_history`
}

/**
 * Goes to `deployTo` and sets `r` to the release. Only such a path may become the target of a link or be removed; `releases/`
 * itself is a directory, too. `link` renames a new link over the old one, so that a link exists at every moment.
 */
const enter = (deployTo: string, release: string) => `cd ${quotePath(deployTo)} || exit 1
fail() { echo "$1" >&2; exit 1; }
r=${quote(release)}
case "$r" in ''|.*|*/*) fail "'$r' is no name of a release" ;; esac
r="releases/$r"
n=".current-$$"
link() {
  # GNU and busybox have -T, the BSDs -h. Without either the link would be moved into the directory.
  ln -nfs "$1" "$n" && { mv -fT "$n" current || mv -fh "$n" current 2>/dev/null; } || { rm -f "$n"; exit 1; }
}`
