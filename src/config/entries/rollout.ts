import type { SettingKey } from '../keys.ts'
import type { Commands } from '../kinds/rollout.ts'
import type { Settings } from '../schema.ts'
import { groupsProblem } from './groups.ts'
import { roleProblem, rolesOf, selectServers } from './select.ts'

type Rollout = Pick<Settings, 'rollout' | 'batch' | 'activate' | 'sites' | 'roles' | 'only' | 'except'>

/** One line for each thing in `rollout` that does not fit the entries of `servers`. `nameOf`: a setting as the user wrote it. */
export function rolloutProblems(
  settings: Rollout,
  servers: readonly unknown[],
  nameOf: (setting: SettingKey) => string,
): string[] {
  const { rollout, batch, activate, sites } = settings
  const { groups, before, after, healthCheck, undo, watch, local } = rollout
  const name = nameOf('rollout.groups')
  const totals = { taking: selectServers(servers, settings).length, named: servers.length }
  const commands: [SettingKey, Commands | undefined][] = [
    ['rollout.before', before],
    ['rollout.after', after],
    ['rollout.healthCheck', healthCheck],
    ['rollout.undo', undo],
    ['activate', activate],
  ]
  return [
    ...(batch !== undefined && groups !== undefined
      ? [`${nameOf('batch')} and ${name} both make groups: remove one of them`]
      : []),
    ...(groups === undefined ? [] : groupsProblem(groups, totals, name)),
    ...(groups === 'role' && rolesOf(servers).length === 0
      ? [`${name} is role, but no entry of servers has roles: give them some`]
      : []),
    ...(groups === 'site' && sites.length === 0
      ? [`${name} is site, but there are no sites: name them in murder.sites or in the entries of servers`]
      : []),
    ...(watch > 0 && healthCheck === undefined && local.check === undefined
      ? [
          `${nameOf('rollout.watch')} is ${watch}, but there is nothing to watch: set murder.healthCheck or murder.rollout.local.check`,
        ]
      : []),
    ...commands.flatMap(([key, value]) =>
      value === undefined || typeof value === 'string'
        ? []
        : Object.keys(value).flatMap((role) => roleProblem(role, servers, nameOf(key))),
    ),
  ]
}
