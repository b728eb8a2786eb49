import { posix } from 'node:path'
import { quotePath } from '../../text/shell-quote.ts'

export function cleanReleasesScript(deployTo: string, keep: number): string {
  const remove = `rm -rf "./$x" 2>/dev/null || { chmod -R u+rwx "./$x" 2>/dev/null; rm -rf "./$x"; } || exit 1`
  return oldReleasesScript(deployTo, keep, remove)
}

/** Prints the releases that `cleanReleasesScript` would remove. */
export const listOldReleasesScript = (deployTo: string, keep: number) =>
  oldReleasesScript(deployTo, keep, `printf '%s\\n' "$x"`)

/**
 * Runs `act`, with the name in `$x`, for every release that is too old and not live. What `current` resolves to is compared, not its
 * text: it may be absolute, or lead through other links. Where no release is too old no program is started.
 */
function oldReleasesScript(deployTo: string, keep: number, act: string): string {
  const releases = quotePath(posix.join(deployTo, 'releases'))
  const tooMany = `[ $# -gt ${Math.max(0, Math.floor(keep))} ]`
  return `cd ${releases} 2>/dev/null || exit 0
set -- *
if [ ! -e "$1" ] && [ ! -L "$1" ]; then exit 0; fi
${tooMany} || exit 0
live=$(cd ../current 2>/dev/null && pwd -P)
while ${tooMany}; do
  x=$1; shift
  if [ -n "$live" ] && [ "$(cd "./$x" 2>/dev/null && pwd -P)" = "$live" ]; then continue; fi
  ${act}
done`
}
