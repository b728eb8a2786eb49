import { posix } from 'node:path'
import { ScriptLibrary, type ServerLibrary } from '../../fleet/script-library.ts'
import { factsScript } from './facts-script.ts'
import { fenceScript } from './fence-script.ts'
import { canGuardScript } from './guard/check-guard-script.ts'
import { supersedeScript } from './guard/guard-orders.ts'
import { holdLockScript, type LockOwner, removeLockScript } from './lock-script.ts'
import { halfMadeScript } from './releases/clean-script.ts'
import { noteReceivingScript } from './releases/history-script.ts'
import { publishScript, revertScript } from './releases/publish-script.ts'
import { releasesScript } from './releases/releases-script.ts'
import { removeReleasesScript } from './releases/remove-releases-script.ts'
import { undoScript } from './releases/undo-script.ts'

/** Values that occur in no server's scripts: lines with them only fill the library. */
const AT = '/-'
const RELEASE = '-'
const OWNER: LockOwner = { id: '-', who: '-', what: '-', when: '-', kind: 'deploy', process: '-' }
const AUTHOR = { who: '-', when: '-' }
const KNOWN = { deployTo: AT, links: [] }
const PATHS = { deployTo: AT, remotePath: AT, temporaryPath: AT, agent: AT }

/** The scripts of a deploy, of a rollback, and of what takes either back. */
const samples = (): string[] => [
  factsScript({ ...PATHS, node: undefined, content: { bytes: 0, sha256: '-' } }),
  holdLockScript(AT, OWNER, { known: KNOWN, after: halfMadeScript({ ...PATHS, releases: AT }) }),
  publishScript(AT, { release: RELEASE }, AUTHOR, fenceScript(AT, OWNER, KNOWN), {
    arm: supersedeScript(AT),
  }),
  revertScript(AT, { release: RELEASE, isNew: true }, '-', AUTHOR),
  noteReceivingScript(AT, AUTHOR, RELEASE),
  releasesScript(AT),
  removeReleasesScript(AT, [RELEASE]),
  removeLockScript(AT, OWNER),
  undoScript({ deployTo: AT, tag: RELEASE, directory: AT, withRelease: true, author: AUTHOR }),
  canGuardScript(),
]

let library: ScriptLibrary | undefined

/** The lines of these scripts, in a file beside the agent whose name changes with them. */
export function libraryAt(remotePath: string): ServerLibrary {
  library ??= ScriptLibrary.of(samples())
  return { library, path: posix.join(remotePath, libraryName(library)) }
}

const libraryName = ({ sha256 }: ScriptLibrary) => `murder-${sha256.slice(0, 16)}.sh`
