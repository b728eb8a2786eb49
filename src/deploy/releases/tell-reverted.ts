import { posix } from 'node:path'
import { explain } from '../../errors.ts'
import type { Context } from '../context/context.ts'
import { commandsEnded, connectionsOf } from '../context/ssh-pool.ts'
import { deployToOf, releasesPath } from '../paths/server-paths.ts'

/**
 * Another release is live again, as after a rollback: what restarts the application on `published` does so, and is waited for,
 * because a deploy that has failed ends at once. Listeners find that release where they look for the new one.
 */
export async function tellReverted({ shipit }: Context, release: string): Promise<void> {
  shipit.releaseDirname = release
  shipit.releasePath = posix.join(releasesPath(deployToOf(shipit)), release)
  try {
    shipit.emit('published')
  } catch (error) {
    shipit.log(`A listener to published failed: ${explain(error)}`) // That the deploy has failed matters more.
  }
  await commandsEnded(connectionsOf(shipit), (commands) => {
    shipit.log(`Waiting until commands of the shipitfile or of plugins end: ${commands.join('; ')}`)
  })
}
