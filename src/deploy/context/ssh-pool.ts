import { setImmediate } from 'node:timers/promises'
import type { Server, SshConnection } from '../../fleet/ssh/server.ts'
import type { Shipit } from '../../shipit.ts'

/** Methods of a connection of ssh-pool that run a command. */
const METHODS = ['run', 'copy', 'copyToRemote', 'copyFromRemote', 'scpCopyToRemote', 'scpCopyFromRemote']

const running = new WeakMap<object, Set<Promise<unknown>>>()

export const connectionsOf = ({ pool }: Shipit): SshConnection[] =>
  (pool?.connections ?? []) as unknown as SshConnection[]

/** Takes servers out of what Shipit's own commands, and those of other plugins, run on. */
export function withdraw({ pool }: Shipit, servers: readonly Server[]): void {
  if (!pool) return
  const connections = new Set<unknown>(servers.map(({ connection }) => connection))
  pool.connections = pool.connections.filter((connection) => !connections.has(connection))
}

/**
 * Notes from now on which commands of shipitfiles and other plugins run on these connections. A listener to an event can only begin
 * a command, and nobody waits for it; but it shares our connection to its server.
 */
export function watchCommands(connections: readonly object[]): void {
  for (const connection of connections) {
    if (running.has(connection)) continue
    const commands = new Set<Promise<unknown>>()
    running.set(connection, commands)
    for (const name of METHODS) {
      const run: unknown = Reflect.get(connection, name)
      if (typeof run !== 'function') continue
      Reflect.set(connection, name, (...args: unknown[]) => {
        const result: unknown = run.apply(connection, args)
        const end = () => commands.delete(ended)
        // A failure is reported to the caller, not here.
        const ended: Promise<unknown> = Promise.resolve(result).then(end, end)
        commands.add(ended)
        return result
      })
    }
  }
}

/** Resolves when none of these commands runs any more. */
export async function commandsEnded(connections: readonly object[]): Promise<void> {
  for (;;) {
    const left = connections.flatMap((connection) => [...(running.get(connection) ?? [])])
    if (left.length === 0) return
    await Promise.all(left)
    await setImmediate() // A caller that has waited for one of them may begin the next.
  }
}
