import { posix } from 'node:path'
import type { Commands } from '../../config/kinds/rollout.ts'
import { signsOfLife } from '../../fleet/signs-of-life.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { Failure } from '../../report/failures.ts'
import { commandsFor } from '../commands/commands-for.ts'
import { entryOfServer, valuesOf } from '../commands/server-values.ts'
import type { TaskContext } from '../context/context.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import { placesOf } from '../paths/places.ts'
import { userCommandScript } from '../scripts/user-command-script.ts'

export interface Hook {
  /** Its name in messages. */
  step: 'before' | 'after' | 'activate' | 'health' | 'undo'
  commands: Commands | undefined
  release: string
  timeoutS: number
  /** Whether it runs only in `current`; otherwise in `deployTo` where there is no `current`. */
  inCurrent: boolean
  signal?: AbortSignal
  /** What else its script does. */
  with?: (script: string, remotePath: string) => string
}

/** The settings that the commands are of. */
const SETTINGS: Record<Hook['step'], string> = {
  before: 'rollout.before',
  after: 'rollout.after',
  activate: 'activate',
  health: 'rollout.healthCheck',
  undo: 'rollout.undo',
}

/** Only the user knows what a command of his own does. */
const withCure = (failure: Failure, step: Hook['step']): Failure => ({
  cure: `run murder.${SETTINGS[step]} there by hand; what it prints on standard error is shown here`,
  ...failure,
})

/** The servers among these whose roles have a command. */
export const concernedBy = (commands: Commands | undefined, servers: readonly Server[]): Server[] =>
  servers.filter((server) => commandsFor(commands, entryOfServer(server).roles).length > 0)

/** Runs the user's command on each server that it is for. Returns the failures. */
export async function runHook(
  context: Pick<TaskContext, 'fleet' | 'settings' | 'shipit'>,
  { step, commands, release, timeoutS, inCurrent, signal, with: extend = (script) => script }: Hook,
  among: readonly Server[],
): Promise<Failure[]> {
  const servers = concernedBy(commands, among)
  if (servers.length === 0) return []
  const script = (server: Server) => {
    const { deployTo, remotePath } = placesOf(context, server)
    const current = posix.join(deployTo, 'current')
    const text = userCommandScript({
      commands: commandsFor(commands, entryOfServer(server).roles),
      within: inCurrent ? [current] : [current, deployTo],
      env: valuesOf(server, release),
      timeoutS,
      isAttended: true,
    })
    return extend(text, remotePath)
  }
  const options = { servers, totalTimeoutS: timeoutS, ...(signal ? { signal } : {}) }
  const command = (server: Server) => ({ script: script(server), stdin: signsOfLife })
  const failures = failuresOf(await context.fleet.run(step, command, options), step)
  return failures.map((failure) => withCure(failure, step))
}

/** `release`: what is live there. Ctrl-C ends it. */
export function checkHealth(
  context: TaskContext,
  servers: readonly Server[],
  release: string,
): Promise<Failure[]> {
  const { settings, signal } = context
  const { healthCheck: commands } = settings.rollout
  const timeoutS = settings.timeouts.health
  return runHook(context, { step: 'health', commands, release, timeoutS, inCurrent: true, signal }, servers)
}

/** Runs the command that restarts the application after a change. `release`: the live release there. */
export function activate(
  context: Pick<TaskContext, 'fleet' | 'settings' | 'shipit'>,
  servers: readonly Server[],
  release: string,
): Promise<Failure[]> {
  const { activate: commands, timeouts } = context.settings
  return runHook(
    context,
    { step: 'activate', commands, release, timeoutS: timeouts.hook, inCurrent: true },
    servers,
  )
}

/** The commands that follow the symlink on servers that have gone back. `release`: the live release there. */
export function undoMore(
  context: Pick<TaskContext, 'fleet' | 'settings' | 'shipit'>,
  servers: readonly Server[],
  release: string,
): Promise<Failure[]> {
  const { rollout, timeouts } = context.settings
  return runHook(
    context,
    { step: 'undo', commands: rollout.undo, release, timeoutS: timeouts.hook, inCurrent: false },
    servers,
  )
}
