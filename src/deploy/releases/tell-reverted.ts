import { posix } from 'node:path'
import { explain } from '../../errors.ts'
import type { TaskContext } from '../context/context.ts'
import { commandsEnded, connectionsOf } from '../context/servers/ssh-pool.ts'
import { deployToOf } from '../paths/places.ts'
import { releasesPath } from '../paths/server-paths.ts'

/**
 * Tells other plugins that an earlier release is live again, as after a rollback. Listeners of `published` restart the
 * application; this waits for them, because a failed deploy ends at once. They find the earlier release where they look for the
 * new one. If only some servers went back, only `reverted` is emitted.
 */
export async function tellReverted(
  { shipit }: Pick<TaskContext, 'shipit'>,
  release: string,
  { isWhole }: { isWhole: boolean },
): Promise<void> {
  if (isWhole) {
    shipit.releaseDirname = release
    shipit.releasePath = posix.join(releasesPath(deployToOf(shipit)), release)
  }
  for (const event of isWhole ? ['reverted', 'published'] : ['reverted']) {
    try {
      shipit.emit(event, { release })
    } catch (error) {
      shipit.log(`A listener to ${event} failed: ${explain(error)}`) // The failure of the deploy matters more.
    }
  }
  await commandsEnded(connectionsOf(shipit), (commands) => {
    shipit.log(`Waiting until commands of the shipitfile or of plugins end: ${commands.join('; ')}`)
  })
}
