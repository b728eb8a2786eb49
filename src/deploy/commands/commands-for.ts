import type { Commands } from '../../config/kinds/rollout.ts'

/** The commands that a server with these roles runs, one after the other. */
export function commandsFor(commands: Commands | undefined, roles: readonly string[]): string[] {
  if (commands === undefined) return []
  if (typeof commands === 'string') return [commands]
  return roles.flatMap((role) => (Object.hasOwn(commands, role) ? [commands[role] as string] : []))
}
