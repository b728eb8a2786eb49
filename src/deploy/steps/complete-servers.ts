import { posix } from 'node:path'
import { sha256Of } from '../../files/hash.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { author } from '../context/author.ts'
import type { TaskContext } from '../context/context.ts'
import { assertNoFailures, failuresOf } from '../outcome/fleet-error.ts'
import { placesOf } from '../paths/places.ts'
import { notePath, releasesPath } from '../paths/server-paths.ts'
import type { UnpackTarget } from '../peers/unpack-target.ts'
import { notePackageScript } from '../scripts/releases/find-release-script.ts'
import { noteScript } from '../scripts/releases/history-script.ts'
import type { StoredTransfer } from '../transfer/stored-transfer.ts'

/** How long a server may take to answer. */
const ANSWER_TIMEOUT_S = 60

/**
 * The servers that already have exactly this release. A release appears by rename, so an existing one is whole. Before a server
 * fetches a package, it notes beside the agent which one. Throws FLEET_FAILED where something else is in the release's place.
 * Directories that we may overwrite are not checked.
 */
export async function findComplete(
  context: TaskContext,
  { tag, sha256 }: StoredTransfer,
  { path, release, existing }: UnpackTarget,
): Promise<Set<Server>> {
  if (existing !== 'refuse') return new Set()
  const { fleet, signal } = context
  const noted = author()
  const look = (server: Server) => {
    const { deployTo, remotePath } = placesOf(context, server)
    const note = notePath(remotePath, release ? tag : `${tag}.${shortHash(path)}`)
    // Once it exists, no deploy removes it, and only a publication makes it a target of a rollback.
    const then = release ? noteScript(deployTo, noted, 'brought', tag) : ''
    const place = release ? posix.join(releasesPath(deployTo), tag) : path
    return { script: notePackageScript({ path: place, note, sha256, then }) }
  }
  const options = { signal, totalTimeoutS: ANSWER_TIMEOUT_S }
  const outcomes = await fleet.run('check', look, options)
  signal.throwIfAborted()
  const saying = (word: string) =>
    outcomes.flatMap((outcome) =>
      outcome.ok && outcome.stdout.split('\n').includes(word) ? [outcome.server] : [],
    )
  const taken = `${release ? `releases/${tag}` : path} is there already and was not made of this package`
  const cure = release
    ? 'set MURDER_TAG to another name and run murder:seed again'
    : 'remove it, set MURDER_UNSAFE_PLEASE_DELETE, or set MURDER_TAG to another name and run murder:seed again'
  const failures = [
    ...failuresOf(outcomes, 'check'),
    ...saying('other').map(({ label }) => ({ server: label, step: 'check', cause: taken, cure })),
  ]
  assertNoFailures(context, failures, 'nothing was changed')
  return new Set(saying('same'))
}

const shortHash = (text: string) => sha256Of(text).slice(0, 8)
