import { quote, quotePath } from '../../../text/shell-quote.ts'
import { recordPath } from '../../paths/server-paths.ts'
import { type Author, noteScript } from './history-script.ts'
import { releasesScript } from './releases-script.ts'

/**
 * Shell function `staged DEPLOY_TO`: prints the name of the last staged release, if it exists and was neither published nor
 * superseded since.
 */
export const STAGED = `staged() {
  [ -f "$1/.murder-history" ] || return 0
  s=$(awk -F '\\t' '
    { state[$3] = $2 }
    $2 == "staged" { last = $3 }
    END { if (state[last] == "staged") print last }' "$1/.murder-history" 2>/dev/null)
  case "$s" in ''|.*|*/*) return 0 ;; esac
  [ ! -d "$1/releases/$s" ] || printf '%s\\n' "$s"
}`

const UNNOTED =
  'what was delivered could not be noted, so that no deploy would know it again: the disk is full, or the project has a REVISION file of its own'

/**
 * Notes that a release is staged, and prints what `releasesScript` does. Fails without a note of what was delivered, because no
 * deploy could use the release then.
 */
export const noteStagedScript = (deployTo: string, author: Author, release: string) =>
  `if [ ! -s ${quotePath(recordPath(deployTo, release))} ]; then
  echo ${quote(UNNOTED)} >&2; exit 1
fi
${noteScript(deployTo, author, 'staged', release)}
${releasesScript(deployTo)}`
