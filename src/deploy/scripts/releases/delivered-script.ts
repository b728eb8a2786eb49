import { quotePath } from '../../../text/shell-quote.ts'
import { recordPath } from '../../paths/server-paths.ts'

/** Prints the agent's note of what was delivered as this release; nothing where there is none. */
export const deliveredScript = (deployTo: string, release: string): string =>
  `n=${quotePath(recordPath(deployTo, release))}
if [ -f "$n" ]; then exec cat "$n"; fi`
