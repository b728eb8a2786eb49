import { posix } from 'node:path'
import { quote, quotePath } from '../../../text/shell-quote.ts'
import { REMOVE, STARTED } from '../shell-functions.ts'

/** Shell function `busy DIRECTORY`: whether a running or an unpacking process uses the directory of a transfer. */
const BUSY = `${STARTED}
alive() {
  kill -0 "$1" 2>/dev/null || return 1
  if [ -z "$2" ] || [ ! -r "/proc/$1/stat" ]; then return 0; fi
  started "$1" && [ "$start" = "$2" ]
}
runs() {
  [ -f "$1/state.json" ] || return 1
  y=; IFS= read -r y <"$1/state.json"
  pid=\${y#*'"pid":'}; pid=\${pid%%[!0-9]*}
  case "$y" in *'"start":"'*) since=\${y#*'"start":"'}; since=\${since%%[!0-9]*} ;; *) since= ;; esac
  alive "$pid" "$since"
}
busy() {
  for x in "$1"/peer-* "$1"/seeder/tracker-* "$1"/seeder/seeder-*; do runs "$x" && return 0; done
  for x in "$1"/receive-*; do
    [ -f "$x" ] || continue
    since=; IFS= read -r since <"$x"
    alive "\${x##*-}" "$since" && return 0
  done
  for x in "$1"/seeder/*.part; do
    [ -f "$x" ] || continue
    y=\${x%.part}; alive "\${y##*.}" '' && return 0
  done
  return 1
}`

/** Shell functions `removes DIRECTORY`: removes it, or says what is in the way; and `stuck DIRECTORY CAUSE`, which says so. */
const REMOVES = `${REMOVE}
stuck() { echo "stuck $1: $(owner_in "$1" || echo "$2")"; }
removes() { if e=$(remove_tree "$1" 2>&1); then return 0; fi; stuck "$1" "\${e##*: }"; return 1; }`

/** Removes half-made releases of transfers that do not run. */
const HALF_MADE = `for d in "$r"/.*.partial; do
  if [ ! -d "$d" ] || [ -L "$d" ]; then continue; fi
  n=\${d##*/.}; n=\${n%.partial}
  if busy "$t/$n"; then continue; fi
  if removes "$d"; then echo "removed half-made release $n"; fi
done`

/** The default directory of temporary files. Everything in it is ours. */
const ownPlace = (remotePath: string) => `own=${quotePath(posix.join(remotePath, 'tmp'))}`

/** Removes the directories of transfers that do not run. Sets `any` where one does. `prefill` is an earlier version's. */
const TRANSFERS = `transfer() {
  for x in "peer-\${1##*/}/state.json" unpacked.json seeder/package.torrent seeder/permits.json; do
    [ -f "$1/$x" ] && return 0
  done
  for x in "$1"/receive-*; do case "\${x##*/receive-}" in *[!0-9]*) ;; *) return 0 ;; esac; done
  [ "$t" = "$own" ] && [ -f "$1/package" ]
}
any=
for d in "$t"/*; do
  if [ ! -d "$d" ] || [ -L "$d" ]; then continue; fi
  if [ "$t" = "$own" ] && [ ! -x "$d" ]; then stuck "$d" 'it cannot be read'; continue; fi
  transfer "$d" || continue
  if busy "$d"; then any=yes; echo "running transfer \${d##*/}"; continue; fi
  for x in "$d"/receive-*; do case "\${x##*/receive-}" in *[!0-9]*) ;; *) rm -f "$x" ;; esac; done
  for x in "$d/peer-\${d##*/}" "$d/seeder" "$d/links" "$d/package" "$d/prefill"; do removes "$x" || continue 2; done
  rm -f "$d/unpacked.json"; rmdir "$d" 2>/dev/null
  echo "removed transfer \${d##*/}"
done`

/**
 * Removes what transfers have left. A directory counts as a transfer's only if it has a run folder or a lock of one of our
 * processes. A half-made release is hidden and ends in `.partial`. Everything else stays, even inside a directory that is
 * removed.
 */
export function cleanScript(paths: {
  temporaryPath: string
  remotePath: string
  releases: string
  /** Names of the files in `remotePath` that this version uses. */
  agent: string
  library: string
}): string {
  const { temporaryPath, remotePath, releases } = paths
  return `
t=${quotePath(temporaryPath)}; p=${quotePath(remotePath)}; r=${quotePath(releases)}
agent=${quote(paths.agent)}; library=${quote(paths.library)}; ${ownPlace(remotePath)}
${BUSY}
${REMOVES}
${TRANSFERS}
${HALF_MADE}
for x in "$p"/run/*; do
  case "\${x##*/}" in tracker-*|seeder-*) ;; *) continue ;; esac
  if runs "$x"; then any=yes; echo "running \${x##*/}"; else rm -rf "$x"; fi
done
[ -n "$any" ] || rm -f "$p/run/permits.json"
rmdir "$p/run" 2>/dev/null
if [ -z "$any" ]; then
  for x in "$p"/seed/*/package; do
    [ -f "$x" ] || continue
    x=\${x%/package}
    rm -f "$x/package" "$x/package.torrent" "$x/secret"; rmdir "$x"
    echo "removed seeded package of \${x##*/}"
  done
  rmdir "$p/seed" 2>/dev/null
  for x in "$p"/murder-????????????????.mjs; do
    if [ -f "$x" ] && [ "\${x##*/}" != "$agent" ]; then rm -f "$x"; echo "removed old agent \${x##*/}"; fi
  done
  for x in "$p"/murder-${'[0-9a-f]'.repeat(16)}.sh; do [ "\${x##*/}" = "$library" ] || rm -f "$x"; done
  rm -f "$p"/compiled/murder-*; rmdir "$p/compiled" 2>/dev/null
  for x in "$p"/unpacked/*; do if [ -f "$x" ] && [ ! -d "$r/\${x##*/}" ]; then rm -f "$x"; fi; done
  rmdir "$p/unpacked" 2>/dev/null
fi
true`
}

/**
 * Removes half-made releases, and the directories of transfers with their uploads for a seeder. A deploy leaves them when it is
 * killed, or when the server is unreachable at its end; they would fill the disk. Running transfers stay.
 */
export const halfMadeScript = (paths: { temporaryPath: string; remotePath: string; releases: string }) =>
  `t=${quotePath(paths.temporaryPath)}; r=${quotePath(paths.releases)}; ${ownPlace(paths.remotePath)}
${BUSY}
${REMOVES}
${TRANSFERS}
${HALF_MADE}`
