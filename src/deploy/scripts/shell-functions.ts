/** Shell function `say KEY VALUE`: prints an answer, the line `KEY=VALUE`. `parseValues` reads them. */
export const SAY = `say() { printf '%s=%s\\n' "$1" "$2"; }`

/** If the agent `a` is missing, sets `a` to another version in `p`, which reads the same run directories. */
export const ANY_AGENT = `if [ ! -f "$a" ]; then for x in "$p"/murder-*.mjs; do [ -f "$x" ] && a=$x; done; fi`

/**
 * Shell function `started PID`: sets `start` to the start time of that process as proc(5) gives it, which tells it from a later
 * process of the same pid. Fails, and empties `start`, where the process does not run or there is no /proc. One that has ended and
 * that nobody has waited for (`Z`) does not run: in containers it may stay so. It starts no program, because starting programs
 * takes most of a deploy's time on a server.
 */
export const STARTED = `started() {
  start=
  { IFS= read -r start </proc/"$1"/stat; } 2>/dev/null || return 1
  start=\${start##*) }
  set -f; set -- $start; set +f
  start=
  [ $# -gt 19 ] && [ "$1" != Z ] || return 1
  shift 19; start=$1
}`

/** Shell function `still_runs PID START`: whether that process runs. Needs `started`, whose start time it compares. */
export const STILL_RUNS = `still_runs() { if [ -r /proc/self/stat ]; then started "$1" && [ "$start" = "$2" ]; else ps -p "$1" >/dev/null 2>&1; fi; }`

/** Shell function `mounts_in PATH`: prints the mount points at and in a directory, and fails where there are none. */
export const MOUNTS = `mounts_in() (
  case "$1" in */*) m=\${1%/*}; m=\${m:-/} ;; *) m=. ;; esac
  p=$(cd "$m" 2>/dev/null && pwd -P) || exit 1
  p=\${p%/}/\${1##*/}
  if [ -r /proc/self/mountinfo ]; then
    case "$p" in *[\\\\[:space:]]*) p=$(printf '%s\\n' "$p" | sed 's/\\\\/\\\\134/g; s/ /\\\\040/g; s/	/\\\\011/g') ;; esac
    m=$(while read -r a b c d m rest; do
      case "$m" in "$p"|"$p"/*) printf '%s\\n' "$m" ;; esac
    done </proc/self/mountinfo)
    case "$m" in *\\\\*) m=$(printf '%s\\n' "$m" | sed 's/\\\\040/ /g; s/\\\\011/	/g; s/\\\\134/\\\\/g') ;; esac
  else
    m=$(mount | while IFS= read -r m; do
      m=\${m#* on }
      case "$m" in "$p/"*|"$p "*) printf '%s\\n' "\${m%% [(]*}" ;; esac
    done)
  fi
  [ -n "$m" ] && printf '%s\\n' "$m"
)`

/**
 * Shell functions `mount_in PATH`, which prints a mount point at or in a directory and fails where there is none, and
 * `remove_tree PATH`, which removes a directory with all its content, but nothing behind a mount, because that is not ours. `rm
 * --one-file-system` does not stop at a bind mount of the same file system. `owner_in PATH` prints an entry of a directory that
 * belongs to another user.
 */
export const REMOVE = `${MOUNTS}
mount_in() { mounts_in "$1" | { read -r m && printf '%s\\n' "$m"; }; }
owner_in() {
  [ "$(id -u)" != 0 ] || return 1 # Nobody's files are in the way of root.
  find "$1" ! -user "$(id -u)" -exec ls -ld {} \\; 2>/dev/null | {
    read -r a b c d && printf 'something in it belongs to %s\\n' "$c"
  }
}
remove_tree() {
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then return 0; fi
  if m=$(mount_in "$1"); then echo "$1 stays: something is mounted at $m" >&2; return 1; fi
  rm -rf "$1" 2>/dev/null || { chmod -R u+rwx "$1" 2>/dev/null; rm -rf "$1"; }
}`

/**
 * Shell function `cannot_write FILE`: says why a file cannot be made there, and ends the script. The shell's own message for a full
 * disk is "I/O error".
 */
export const CANNOT_WRITE = `cannot_write() {
  e=$( { echo | cat >"$1.$$"; } 2>&1 ); rm -f "$1.$$"; e=\${e##*: }
  echo "$1 cannot be written\${e:+: $e}" >&2; exit 1
}`
