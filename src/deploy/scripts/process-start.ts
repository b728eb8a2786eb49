/**
 * Shell function `started PID`: sets `start` to when that process started, in the kernel's own terms (proc(5)), which tells it from
 * a later one of the same number. Fails, and sets nothing, where it does not run or the kernel does not tell. In the shell alone:
 * of all that a deploy does on a server, starting programs takes the most time.
 */
export const startedFunction = `started() {
  start=
  { IFS= read -r start </proc/"$1"/stat; } 2>/dev/null || return 1
  start=\${start##*) }
  set -f; set -- $start; set +f
  [ $# -gt 19 ] || return 1
  shift 19; start=$1
}`
