/** Shell function `say KEY VALUE`: prints an answer, the line `KEY=VALUE`. `parseValues` reads them. */
export const SAY = `say() { printf '%s=%s\\n' "$1" "$2"; }`

/** Where the agent `a` is not in `p`, sets `a` to one of another version: it reads the same run directories. */
export const ANY_AGENT = `if [ ! -f "$a" ]; then for x in "$p"/murder-*.mjs; do [ -f "$x" ] && a=$x; done; fi`

/**
 * Shell function `started PID`: sets `start` to the start time of that process as proc(5) gives it, which tells it from a later
 * process of the same pid. Fails, and empties `start`, where the process does not run or there is no /proc. It starts no program,
 * because that takes the most time of all that a deploy does on a server.
 */
export const STARTED = `started() {
  start=
  { IFS= read -r start </proc/"$1"/stat; } 2>/dev/null || return 1
  start=\${start##*) }
  set -f; set -- $start; set +f
  [ $# -gt 19 ] || return 1
  shift 19; start=$1
}`
