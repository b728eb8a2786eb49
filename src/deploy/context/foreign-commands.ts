import { setImmediate } from 'node:timers/promises'

/** What runs a command on one of ssh-pool's connections. */
const methods = ['run', 'copy', 'copyToRemote', 'copyFromRemote', 'scpCopyToRemote', 'scpCopyFromRemote']

const running = new WeakMap<object, Set<Promise<unknown>>>()

/**
 * From now on it is known which commands of shipitfiles and other plugins run on these connections of ssh-pool. Whoever
 * listens to an event can only begin one, and nobody waits for it; but it shares our connection to its server.
 */
export function watchCommands(connections: readonly object[]): void {
  for (const connection of connections) {
    if (running.has(connection)) continue
    const commands = new Set<Promise<unknown>>()
    running.set(connection, commands)
    for (const name of methods) {
      const run: unknown = Reflect.get(connection, name)
      if (typeof run !== 'function') continue
      Reflect.set(connection, name, (...args: unknown[]) => {
        const result: unknown = run.apply(connection, args)
        const end = () => commands.delete(ended)
        // Whoever began it is told when it fails.
        const ended: Promise<unknown> = Promise.resolve(result).then(end, end)
        commands.add(ended)
        return result
      })
    }
  }
}

/** Resolves when none of them runs any more. */
export async function commandsEnded(connections: readonly object[]): Promise<void> {
  for (;;) {
    const left = connections.flatMap((connection) => [...(running.get(connection) ?? [])])
    if (left.length === 0) return
    await Promise.all(left)
    await setImmediate() // What waited for one of them may begin the next.
  }
}
