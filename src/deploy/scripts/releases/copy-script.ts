import { quote, quotePath } from '../../../text/shell-quote.ts'
import { releasesPath } from '../../paths/server-paths.ts'
import { MOUNTS } from '../shell-functions.ts'
import { type Author, noteScript } from './history-script.ts'

/** Begins a line that names a directory of which only itself is copied. No line of base64 begins with it. */
const LEFT = '!'

/**
 * Prints a release as a tar archive, in base64, because output is read as lines. Directories that are mounted in it, such as
 * uploads, are left out: they are named beforehand, and are empty in the archive.
 */
export const readReleaseScript = (releases: string, release: string) => `${MOUNTS}
r=${quotePath(releases)}/${quote(release)}
cd "$r" || exit 1
mounted=$(mounts_in "$r")
set --; set -f; IFS='
'
for m in $mounted; do
  d=\${m#"$(pwd -P)"/}
  [ "$d" != "$m" ] && [ -d "$m" ] || continue
  printf '${LEFT}%s\\n' "$d"
  set -- "$@" "--exclude=./$(printf '%s\\n' "$d" | sed 's/[][*?\\\\]/\\\\&/g')/*"
done
{ tar cf - "$@" . || kill $$; } | base64`

/** What a line of the output says. */
export function readReleaseLine(line: string): { left: string } | { bytes: Buffer } {
  return line.startsWith(LEFT) ? { left: line.slice(LEFT.length) } : { bytes: Buffer.from(line, 'base64') }
}

/** Unpacks the archive on standard input beside the release, which appears when it is complete and on the disk. */
export const writeReleaseScript = (deployTo: string, release: string, author: Author) =>
  `mkdir -p ${quotePath(releasesPath(deployTo))} && cd ${quotePath(releasesPath(deployTo))} || exit 1
${noteScript(deployTo, author, 'receiving', release)}
p=${quote(`.${release}.partial`)}
trap 'chmod -R u+rwx "$p" 2>/dev/null; rm -rf "$p"' EXIT
rm -rf "$p" && mkdir "$p" && tar xpf - -C "$p" || exit 1
{ sync -f "$p" || sync; } 2>/dev/null
mv "$p" ${quote(release)}`
