import { quote, quotePath } from '../../../text/shell-quote.ts'
import { notePath, releasesPath } from '../../paths/server-paths.ts'
import { checkReleaseName } from '../../releases/choose/check-release-name.ts'
import { SAY } from '../shell-functions.ts'
import { parseValues } from '../values.ts'

/** Whether a server has a release, and which release is live there. */
export interface FoundRelease {
  isThere: boolean
  /** SHA-256 of its package, where `murder:peer` has brought it. */
  sha256: string | undefined
  revision: string | undefined
  live: string | undefined
  liveRevision: string | undefined
}

/**
 * Looks for a release. One that exists is complete, because it appears by a rename. A note beside the agent names its package.
 */
export function findReleaseScript(deployTo: string, remotePath: string, release: string): string {
  const r = quote(checkReleaseName(release))
  return `${SAY}
line() { v=; [ ! -f "$2" ] || IFS= read -r v <"$2"; say "$1" "$v"; }
if cd ${quotePath(releasesPath(deployTo))} 2>/dev/null; then
  if [ -d ./${r} ] && [ -n "$(ls -A ./${r})" ]; then say there yes; line revision ./${r}/REVISION; fi
  c=$(readlink ../current); c=\${c%/}; c=\${c##*/}
  if [ -n "$c" ] && [ -d "./$c" ]; then say live "$c"; line liveRevision "./$c/REVISION"; fi
fi
line note ${quotePath(notePath(remotePath, release))}`
}

export function parseFoundRelease(output: string): FoundRelease {
  const values = parseValues(output)
  const text = (key: string) => values.get(key) || undefined
  return {
    isThere: values.get('there') === 'yes',
    sha256: text('note'),
    revision: text('revision'),
    live: text('live'),
    liveRevision: text('liveRevision'),
  }
}

/**
 * If a directory exists, prints `same` when its note names this package, else `other`. If not, notes the package that it will be
 * made of, and runs `then`.
 */
export const notePackageScript = (o: { path: string; note: string; sha256: string; then?: string }) => `
r=${quotePath(o.path)}; n=${quotePath(o.note)}; s=${quote(o.sha256)}
if [ -d "$r" ] && [ -n "$(ls -A "$r")" ]; then
  if [ "$(cat "$n" 2>/dev/null)" = "$s" ]; then echo same; else echo other; fi
else
  mkdir -p "$(dirname "$n")" && printf '%s\\n' "$s" > "$n" || exit 1
  ${o.then ?? ''}
fi`
