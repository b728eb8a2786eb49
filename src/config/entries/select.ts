import { findServers, serverNames } from '../servers.ts'
import { refusedName } from '../suggest.ts'
import { entryOf } from './entry.ts'

/** Which servers take part in a run. Empty lists choose nothing. */
export interface Selection {
  /** Those that have any of these roles. */
  roles: readonly string[]
  /** Of these only those that have one of these names, */
  only: readonly string[]
  /** and none of these. */
  except: readonly string[]
}

export const isSelection = ({ roles, only, except }: Selection): boolean =>
  roles.length + only.length + except.length > 0

/** Indices of the entries that take part. */
export function selectServers(servers: readonly unknown[], { roles, only, except }: Selection): number[] {
  const named = (names: readonly string[]) => new Set(names.flatMap((name) => findServers(name, servers)))
  const [wanted, unwanted] = [named(only), named(except)]
  return [...servers.keys()].filter(
    (index) =>
      (roles.length === 0 || entryOf(servers[index]).roles.some((role) => roles.includes(role))) &&
      (only.length === 0 || wanted.has(index)) &&
      !unwanted.has(index),
  )
}

export const rolesOf = (servers: readonly unknown[]): string[] => [
  ...new Set(servers.flatMap((server) => entryOf(server).roles)),
]

/** One line for each name that means nothing, or one when no server is left. `nameOf`: the setting as the user wrote it. */
export function selectionProblems(
  servers: readonly unknown[],
  selection: Selection,
  nameOf: (setting: keyof Selection) => string,
): string[] {
  const unknown = [
    ...selection.roles.flatMap((role) => roleProblem(role, servers, nameOf('roles'))),
    ...(['only', 'except'] as const).flatMap((setting) =>
      selection[setting]
        .filter((name) => findServers(name, servers).length === 0)
        .map((name) => refusedName(nameOf(setting), name, 'is not in servers', serverNames(servers))),
    ),
  ]
  if (unknown.length > 0 || !isSelection(selection) || servers.length === 0) return unknown
  if (selectServers(servers, selection).length > 0) return []
  const given = (['roles', 'only', 'except'] as const).filter((setting) => selection[setting].length > 0)
  const words = given.map((setting) => `${nameOf(setting)} ${selection[setting].join(', ')}`)
  return [`No server is left by ${words.join(' with ')}: choose fewer conditions`]
}

/** A line when no entry has this role. */
export function roleProblem(role: string, servers: readonly unknown[], name: string): string[] {
  const known = rolesOf(servers)
  if (known.includes(role)) return []
  if (known.length > 0) return [refusedName(name, role, 'no server has', known)]
  return [
    `${name} has ${JSON.stringify(role)}, but no entry of servers has roles: give them some, as in { host: 'a', roles: ['web'] }`,
  ]
}
