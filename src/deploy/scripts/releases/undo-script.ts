import { quote, quotePath } from '../../../text/shell-quote.ts'
import { releasesPath } from '../../paths/server-paths.ts'
import { REMOVE } from '../shell-functions.ts'
import { type Author, historyFunctions } from './history-script.ts'

/**
 * Ends the processes that unpack a transfer. Then removes its directory, the half-made release and, if wanted, the whole one. If
 * the release does not exist then, notes in the history of `deployTo` that it has failed. It waits for the processes, which would
 * otherwise go on writing. Files named after their pids identify them; the command line is compared, because a pid may belong to
 * another program by now.
 */
export function undoScript(o: {
  directory: string
  deployTo: string
  tag: string
  withRelease: boolean
  author: Author
}): string {
  const releases = releasesPath(o.deployTo)
  const directory = quotePath(o.directory)
  return `for f in ${directory}/receive-*; do
  p="\${f##*-}"; n=0
  c=$({ tr "\\0" " " <"/proc/$p/cmdline" || ps -o args= -p "$p"; } 2>/dev/null)
  case "$c" in *murder*receive*) ;; *) continue ;; esac
  kill "$p" 2>/dev/null
  while kill -0 "$p" 2>/dev/null && [ "$n" -lt 50 ]; do n=$((n + 1)); sleep 0.1 2>/dev/null || sleep 1; done
  kill -9 "$p" 2>/dev/null
done
${REMOVE}
remove_tree ${directory} && remove_tree ${quotePath(`${releases}/.${o.tag}.partial`)} || exit 1
${o.withRelease ? `remove_tree ${quotePath(`${releases}/${o.tag}`)} || exit 1` : ''}
${historyFunctions(o.deployTo, o.author)}
r=${quote(o.tag)}
[ ! -d "$h_d/releases" ] || [ -d "$h_d/releases/$r" ] || { begin_history "$r" && note failed "$r" && sync_history; }`
}

/** The directory of a transfer is the lease of its peer, so removing it ends a remaining peer. */
export const removeTransferScript = (directory: string) => `rm -rf ${quotePath(directory)}`
