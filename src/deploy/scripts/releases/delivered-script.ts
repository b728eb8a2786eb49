import { quotePath } from '../../../text/shell-quote.ts'
import { recordPath } from '../../paths/server-paths.ts'

/** Prints the agent's note of what was delivered as this release. */
export const deliveredScript = (deployTo: string, release: string): string =>
  `exec cat ${quotePath(recordPath(deployTo, release))}`
