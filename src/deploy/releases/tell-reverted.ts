import { posix } from 'node:path'
import { explain } from '../../errors.ts'
import type { Context } from '../context/context.ts'
import { commandsEnded, connectionsOf } from '../context/servers/ssh-pool.ts'
import { deployToOf } from '../paths/places.ts'
import { releasesPath } from '../paths/server-paths.ts'

/**
 * Another release is live again, as after a rollback: what restarts the application on `published` does so, and is waited for,
 * because a deploy that has failed ends at once. Listeners find that release where they look for the new one. Where only some
 * servers have gone back, only `reverted` says so.
 */
export async function tellReverted(
  { shipit }: Context,
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
      shipit.log(`A listener to ${event} failed: ${explain(error)}`) // That the deploy has failed matters more.
    }
  }
  await commandsEnded(connectionsOf(shipit), (commands) => {
    shipit.log(`Waiting until commands of the shipitfile or of plugins end: ${commands.join('; ')}`)
  })
}
