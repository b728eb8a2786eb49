import { posix } from 'node:path'
import { quote, quotePath } from '../../../text/shell-quote.ts'

/** The author of an event. */
export interface Author {
  who: string
  /** ISO 8601, by the deploy host's clock, for people only: no clock is compared with another. */
  when: string
}

/** The history lies beside the releases, because it is about them: `remotePath` may be shared by several projects. */
const FILE = '.murder-history'

/** A history of this many lines is compacted. Its last half stays as it is. */
const MAX_LINES = 1000

/** A longer history is read from its end. Compacting keeps it far below. */
const MAX_BYTES = 300_000

const TIME_NAME = '[0-9]'.repeat(14)

/**
 * Shell functions of the history of a server's releases, an append-only text file with a line for each event: time, event,
 * release, who, with tabs between them. `begin_history RELEASE` comes first, `note EVENT RELEASE` then adds a line, and
 * `sync_history` ends it. A script that changes a release also writes the history, so that neither is ahead of the other for
 * long.
 *
 * Releases that others have made are noted when they are first seen, before anything else is. On the day when the history begins,
 * all releases that are there count as having been live. A release that is newer than the live one was either rolled back from or
 * never published; which of these is unknown.
 *
 * Without `when` each event gets the server's time of its note.
 */
export function historyFunctions(
  deployTo: string,
  { who, when }: Pick<Author, 'who'> & Partial<Author>,
): string {
  const time = when === undefined ? '"$(date -u +%Y-%m-%dT%H:%M:%SZ)"' : quote(when)
  return `h_d=${quotePath(deployTo)}; h_f=$h_d/${FILE}
note() { printf '%s\\t%s\\t%s\\t%s\\n' ${time} "$1" "$2" ${quote(who)} >>"$h_f"; }
sync_history() { sync "$h_f" 2>/dev/null; true; }
begin_history() {
  if [ -f "$h_f" ] && [ ! -w "$h_f" ]; then cp "$h_f" "$h_f.$$" && mv -f "$h_f.$$" "$h_f" || return 1; fi
  true >>"$h_f" || return 1
  h_all=; h_event=found; h_live=
  if [ -s "$h_f" ]; then
    h_all=$(cat "$h_f")
    [ -z "$(tail -c 1 "$h_f")" ] || echo >>"$h_f" || return 1 # A power failure has cut the last line.
  else
    h_event=was-live
    h_live=$(readlink "$h_d/current"); h_live=\${h_live%/}; h_live=\${h_live##*/}
    case "$h_live" in ${TIME_NAME}) ;; *) h_live= ;; esac
  fi
  for h_x in "$h_d"/releases/${TIME_NAME}; do
    if [ ! -d "$h_x" ] || [ -L "$h_x" ]; then continue; fi
    h_x=\${h_x##*/}
    [ "$h_x" != "$1" ] || continue
    case "$h_all" in *"	$h_x	"*) continue ;; esac
    [ -z "$h_live" ] || [ "$h_x" -le "$h_live" ] || h_event=found
    note "$h_event" "$h_x" || return 1
  done
}`
}

/** Notes one event. */
export const noteScript = (deployTo: string, author: Author, event: string, release: string) =>
  `(${historyFunctions(deployTo, author)}
r=${quote(release)}; begin_history "$r" && note ${event} "$r" && sync_history) || exit 1`

/** Notes that a transfer begins. Compacts a long history first: for each existing release, the last event of each kind stays. */
export const noteReceivingScript = (deployTo: string, author: Author, release: string) =>
  `${noteScript(deployTo, author, 'receiving', release)}
cd ${quotePath(deployTo)} || exit 1
h=./${FILE}; n=$(wc -l <"$h")
if [ "$n" -gt ${MAX_LINES} ]; then
  ls releases | awk -F '\\t' -v cut="$((n - ${MAX_LINES / 2}))" '
    pass == 1 { there[$0] = 1; next }
    pass == 2 { last[$3, $2] = FNR; next }
    FNR > cut || ($3 in there && last[$3, $2] == FNR)' pass=1 - pass=2 "$h" pass=3 "$h" >"$h.$$" &&
    { sync "$h.$$" 2>/dev/null; mv -f "$h.$$" "$h"; } || { rm -f "$h.$$"; exit 1; }
fi`

/** Prints each line of the history after \`history=\`. */
export const readHistoryScript = (deployTo: string) => {
  const file = quotePath(posix.join(deployTo, FILE))
  return `if [ -f ${file} ]; then tail -c ${MAX_BYTES} ${file} | sed 's/^/history=/'; fi`
}
