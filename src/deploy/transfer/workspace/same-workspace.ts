import { createHash } from 'node:crypto'
import { MurderError } from '../../../errors.ts'
import type { Entry } from '../../../files/entry.ts'
import type { Context } from '../../context/context.ts'
import { shipitCommand } from '../../context/shipit-command.ts'

/**
 * Notes what a release without a revision is made of. A retry must deploy the same: the others have a release of that name. Throws
 * RETRY_CHANGED.
 */
export function noteWorkspace(context: Context, entries: readonly Entry[]): void {
  const { again, shipit } = context
  if (shipit.currentRevision) return // A commit says what it is, and a new clone of it has other times.
  context.workspace = fingerprint(entries)
  if (again?.workspace === undefined || again.workspace === context.workspace) return
  throw new MurderError('RETRY_CHANGED', `The workspace has changed since ${again.release} was made of it`, {
    cure: `deploy to all servers instead: ${shipitCommand(shipit.environment, 'deploy')}`,
  })
}

/** By paths, modes and links, and by the size and time of each file: no content is read. */
function fingerprint(entries: readonly Entry[]): string {
  const hash = createHash('sha256')
  for (const { path, type, mode, mtime, size, linkname } of entries)
    hash.update(`${JSON.stringify([path, type, mode, size, type === 'file' ? `${mtime}` : '', linkname])}\n`)
  return hash.digest('hex')
}
