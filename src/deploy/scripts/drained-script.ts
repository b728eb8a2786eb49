import { posix } from 'node:path'
import { quote, quotePath } from '../../text/shell-quote.ts'

/**
 * A note beside the lock: the server was taken out of service, by whom, when and for which release. It outlives a killed deploy.
 */
const pathOf = (remotePath: string) => quotePath(posix.join(remotePath, 'drained'))

/** Writes the note before `script` takes the server out of service. */
export const drainScript = (remotePath: string, about: string, script: string) =>
  `mkdir -p ${quotePath(remotePath)} && printf '%s\\n' ${quote(about)} >${pathOf(remotePath)} || exit 1
${script}`

/** Removes the note once `script` has put the server back into service. */
export const undrainScript = (remotePath: string, script: string) => `(
${script}
)
c=$?
[ "$c" != 0 ] || rm -f ${pathOf(remotePath)}
exit $c`

/** Needs the function `say`. */
export const tellDrainedScript = (remotePath: string) =>
  `x=; { IFS= read -r x; } 2>/dev/null <${pathOf(remotePath)}; [ -z "$x" ] || say drained "$x"`
