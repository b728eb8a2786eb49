import { setImmediate } from 'node:timers/promises'
import type { Server, SshConnection } from '../../../fleet/ssh/server.ts'
import type { Shipit } from '../../../shipit.ts'
import { oneLine } from '../../../text/format.ts'

/** Methods of a connection of ssh-pool that run a command. */
const METHODS = ['run', 'copy', 'copyToRemote', 'copyFromRemote', 'scpCopyToRemote', 'scpCopyFromRemote']

/** The commands that run on a connection, as text for people. */
const running = new WeakMap<object, Map<Promise<unknown>, string>>()
/** After this time people are told what the end waits for. */
const TELL_AFTER_MS = 3000

export const connectionsOf = ({ pool }: Shipit): SshConnection[] =>
  (pool?.connections ?? []) as unknown as SshConnection[]

/** Removes servers from Shipit's pool, so that its own commands and those of other plugins do not run there. */
export function withdraw({ pool }: Shipit, servers: readonly Server[]): void {
  if (!pool) return
  const connections = new Set<unknown>(servers.map(({ connection }) => connection))
  pool.connections = pool.connections.filter((connection) => !connections.has(connection))
}

/**
 * Notes from now on which commands of shipitfiles and other plugins run on these connections. Nobody waits for a command that a
 * listener starts, but it shares our connection to its server.
 */
export function watchCommands(connections: readonly object[]): void {
  for (const connection of connections) {
    if (running.has(connection)) continue
    const commands = new Map<Promise<unknown>, string>()
    running.set(connection, commands)
    for (const name of METHODS) {
      const run: unknown = Reflect.get(connection, name)
      if (typeof run !== 'function') continue
      Reflect.set(connection, name, (...args: unknown[]) => {
        const result: unknown = run.apply(connection, args)
        noteCommand(connection, String(args[0]), result)
        return result
      })
    }
  }
}

/** `result`: how it ends. */
export function noteCommand(connection: object, command: string, result: unknown): void {
  const commands = running.get(connection)
  if (!commands) return
  const end = () => commands.delete(ended)
  // A failure is reported to the caller, not here.
  const ended: Promise<unknown> = Promise.resolve(result).then(end, end)
  commands.set(ended, oneLine(`${labelOf(connection)}: ${command}`))
}

/** Resolves when none of these commands runs any more. Calls `tell` once, with the commands that take long. */
export async function commandsEnded(
  connections: readonly object[],
  tell: (commands: string[]) => void,
): Promise<void> {
  const left = () => connections.flatMap((connection) => [...(running.get(connection) ?? [])])
  const timer = setTimeout(() => tell(left().map(([, text]) => text)), TELL_AFTER_MS)
  while (left().length > 0) {
    await Promise.all(left().map(([ended]) => ended))
    await setImmediate() // A caller that waited for one of them may start the next.
  }
  clearTimeout(timer)
}

function labelOf(connection: object): string {
  const { user, host } = (connection as Partial<SshConnection>).remote ?? {}
  return user ? `${user}@${host}` : String(host)
}
