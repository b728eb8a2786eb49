import { posix } from 'node:path'
import { quote, quotePath } from '../../text/shell-quote.ts'
import { NO_FENCE } from './lock-script.ts'

/** A release on the servers. `isNew`: this run has put it there, so it is removed when it cannot be published. */
export interface Publication {
  release: string
  isNew: boolean
}

/** Points `current` to the release. Prints `was=` and what the link was before. `fence` defines the function of that name. */
export function publishScript(deployTo: string, release: string, fence = NO_FENCE): string {
  return `${fence}
fence || exit 1
${enter(deployTo, release)}
if [ -e current ] && [ ! -L current ]; then fail "$PWD/current is a directory, not a link: move it away"; fi
[ -d "$r" ] || fail "$PWD/$r is not there: deploy again"
printf 'was=%s\\n' "$(readlink current)"
link "$r"
[ current -ef "$r" ] || fail "$PWD/current does not point to $r afterwards"`
}

/**
 * `link`: what was there before, an empty text for nothing; undefined where the link was not touched. Where somebody else has
 * published since, all stays: the release is what they would go back to.
 */
export function revertScript(
  deployTo: string,
  { release, isNew }: Publication,
  link: string | undefined,
): string {
  const isOwn = link === undefined || link === `releases/${release}`
  const before = quote(link ?? '')
  const back = link === '' ? 'rm -f current' : `link ${before}`
  return `${enter(deployTo, release)}
${isOwn ? '' : `case "$(readlink current)" in "$r") ${back} ;; ${before}) ;; *) exit 0 ;; esac`}
${isNew ? 'if [ "$(readlink current)" != "$r" ]; then chmod -R u+rwx "$r" 2>/dev/null; rm -rf "$r"; fi' : ''}
true`
}

/**
 * Runs the user's own shell text in a shell of its own: it may call `exit`, or print anything. A program that it leaves in the
 * background must not hold the SSH session open, so it prints into a file that is deleted already.
 */
export const healthScript = (deployTo: string, healthCheck: string) =>
  `o=$(mktemp) && exec 3>"$o" 4<"$o" || exit 1
rm -f "$o"
cd ${quotePath(posix.join(deployTo, 'current'))} && sh -c ${quote(healthCheck)} </dev/null >/dev/null 2>&3 3>&- 4<&-
c=$?
cat <&4 >&2
exit $c`

/**
 * Goes to `deployTo` and sets `r` to the release. No other text may become the target of a link, or be removed: `releases/` itself
 * is a directory, too. `link` renames a new link over the old one, so that there is one at every moment.
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
