import { quote, quotePath } from '../../text/shell-quote.ts'

export function publishScript(deployTo: string, release: string): string {
  return [
    enter(deployTo),
    nameRelease(release),
    'if [ -e current ] && [ ! -L current ]; then fail "$PWD/current is a directory, not a link: move it away"; fi',
    '[ -d "$r" ] || fail "$PWD/$r is not there: deploy again"',
    `printf 'was=%s\\n' "$(readlink current)"`,
    relink('$r'),
    '[ current -ef "$r" ] || fail "$PWD/current does not point to $r afterwards"',
  ].join('; ')
}

/** `link`: what was there before, an empty text for nothing; undefined where the link was not touched. */
export function revertScript(
  deployTo: string,
  { release, isNew }: Publication,
  link: string | undefined,
): string {
  const target = `releases/${release}`
  const back = link === '' ? 'rm -f current' : `w=${quote(link ?? '')}; ${relink('$w')}`
  return [
    enter(deployTo),
    nameRelease(release),
    ...(link === undefined || link === target
      ? []
      : [`if [ "$(readlink current)" = "$r" ]; then ${back}; fi`]),
    ...(isNew
      ? ['if [ "$(readlink current)" != "$r" ]; then chmod -R u+rwx "$r" 2>/dev/null; rm -rf "$r"; fi']
      : []),
    'true',
  ].join('; ')
}

/** A release that is on the servers, and whether this run has put it there: then it goes when it cannot be published. */
export interface Publication {
  release: string
  isNew: boolean
}

const enter = (deployTo: string) => `cd ${quotePath(deployTo)} || exit 1; n=".current-$$"`

/** A link is replaced by renaming another over it: there is never a moment without one. */
const relink = (target: string) =>
  // GNU's and busybox's mv have -T, the BSDs' -h: without it the link would be moved into the directory.
  `ln -nfs "${target}" "$n" && { mv -fT "$n" current || mv -fh "$n" current 2>/dev/null; } || { rm -f "$n"; exit 1; }`

/** Nothing else in this file may become the target of a link, or be removed: `releases/` itself is a directory, too. */
const nameRelease = (release: string) =>
  [
    'fail() { echo "$1" >&2; exit 1; }',
    `r=${quote(release)}`,
    `case "$r" in ''|.*|*/*) fail "'$r' is no name of a release"; esac`,
    'r="releases/$r"',
  ].join('; ')
