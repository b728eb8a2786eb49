import { posix } from 'node:path'
import type { Commands } from '../../config/kinds/rollout.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { commandsFor } from '../commands/commands-for.ts'
import { entryOfServer, valuesOf } from '../commands/server-values.ts'
import type { Context } from '../context/context.ts'
import { newOwner } from '../context/lock/lock-owner.ts'
import { placesOf } from '../paths/places.ts'
import { undrainScript } from '../scripts/drained-script.ts'
import type { Guard } from '../scripts/guard/guard-program.ts'
import { userCommandScript } from '../scripts/user-command-script.ts'
import { hasLocalHooks } from './service.ts'

/** What the guard of one server is to do. */
export function guardOf(
  context: Pick<Context, 'lock' | 'settings' | 'shipit'>,
  server: Server,
  release: string,
): Guard {
  const { activate, rollout, timeouts } = context.settings
  const { deployTo, remotePath } = placesOf(context, server)
  const current = posix.join(deployTo, 'current')
  // The guard alone knows which release it goes back to.
  const { MURDER_RELEASE: _, ...env } = valuesOf(server, release)
  const scriptOf = (commands: Commands | undefined, within: string[]) => {
    const its = commandsFor(commands, entryOfServer(server).roles)
    return its.length === 0 ? undefined : userCommandScript({ commands: its, within, env })
  }
  const after = scriptOf(rollout.after, [current, deployTo])
  // Hooks on the deploy host are not undone yet: the note goes on saying so.
  const keepsNote = hasLocalHooks(rollout)
  return {
    remotePath,
    deployTo,
    token: context.lock.id,
    seconds: rollout.confirm,
    owner: { ...newOwner('deploy', `going back from ${release}, which was not confirmed`), process: '' },
    activate: scriptOf(activate, [current]),
    undo: scriptOf(rollout.undo, [current, deployTo]),
    after: after && !keepsNote ? undrainScript(remotePath, after) : after,
    timeoutS: timeouts.hook,
  }
}
