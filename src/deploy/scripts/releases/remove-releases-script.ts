import { quote, quotePath } from '../../../text/shell-quote.ts'
import { releasesPath } from '../../paths/server-paths.ts'
import { REMOVE } from '../shell-functions.ts'

/** A release that could not be removed completely. */
export interface Stuck {
  release: string
  cause: string
}

/**
 * Removes releases, but never the live one. It compares what `current` resolves to, because its text may be absolute or lead
 * through other links. Each release first gets a hidden name, so that a half-removed one does not look like a release; its
 * removal is tried again the next time. If one cannot be removed, the others still are.
 */
export const removeReleasesScript = (deployTo: string, releases: readonly string[]) => `${REMOVE}
cd ${quotePath(releasesPath(deployTo))} 2>/dev/null || exit 0
stuck() { printf 'stuck=%s\\t%s\\n' "$1" "$2"; }
live=$(cd ../current 2>/dev/null && pwd -P)
set -- ${releases.map(quote).join(' ')}
for x in "$@"; do
  case "$x" in ''|.*|*/*) continue ;; esac
  if [ ! -d "./$x" ] || [ -L "./$x" ]; then continue; fi
  if [ -n "$live" ] && [ "$(cd "./$x" 2>/dev/null && pwd -P)" = "$live" ]; then continue; fi
  if m=$(mount_in "./$x"); then stuck "$x" "something is mounted at $m"; continue; fi
  g=.$x.removed; [ ! -e "./$g" ] || g=.$x.$$.removed
  e=$(mv "./$x" "./$g" 2>&1) || stuck "$x" "$(owner_in "./$x" || echo "\${e##*: }")"
done
for g in .*.removed; do
  if [ ! -d "./$g" ] || [ -L "./$g" ]; then continue; fi
  if m=$(mount_in "./$g"); then stuck "$g" "something is mounted at $m"; continue; fi
  e=$(remove_tree "./$g" 2>&1) || stuck "$g" "$(owner_in "./$g" || echo "\${e##*: }")"
done
true`

export const parseStuck = (output: string): Stuck[] =>
  output.split('\n').flatMap((line) => {
    const match = /^stuck=([^\t]+)\t(.*)$/.exec(line)
    return match ? [{ release: match[1] as string, cause: match[2] as string }] : []
  })
