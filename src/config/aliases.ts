import { isGroup, type SettingKey, valueAt } from './keys.ts'
import { shorthands } from './schema.ts'

/** Other names of settings, and of their environment variables. Without a name there is only another variable. */
export const aliases: readonly { name?: string; variable: string; key: SettingKey }[] = [
  { name: 'stallTimeout', variable: 'MURDER_STALL_TIMEOUT', key: 'timeouts.stall' },
  { name: 'totalTimeout', variable: 'MURDER_TOTAL_TIMEOUT', key: 'timeouts.total' },
  { name: 'trackerAt', variable: 'MURDER_TRACKER', key: 'tracker.at' },
  { name: 'healthCheck', variable: 'MURDER_HEALTH_CHECK', key: 'rollout.healthCheck' },
  { name: 'revert', variable: 'MURDER_REVERT', key: 'rollout.revert' },
  { name: 'confirm', variable: 'MURDER_CONFIRM', key: 'rollout.confirm' },
  { name: 'undo', variable: 'MURDER_UNDO', key: 'rollout.undo' },
  { variable: 'MURDER_PAGE', key: 'page.serve' },
  { name: 'tempPath', variable: 'MURDER_TEMP_PATH', key: 'temporaryPath' },
]

export const variableAliases = (key: SettingKey): string[] =>
  aliases.flatMap((alias) => (alias.key === key ? [alias.variable] : []))

/** The settings with every alias under the setting's own name. To give both is a problem. */
export function resolveAliases(file: Record<string, unknown>): {
  file: Record<string, unknown>
  problems: string[]
} {
  const resolved = { ...file }
  for (const [group, inner] of Object.entries(shorthands)) {
    const alone = resolved[group]
    if (typeof alone === 'string' || typeof alone === 'boolean') resolved[group] = { [inner]: alone }
  }
  const problems: string[] = []
  for (const { name, key } of aliases) {
    if (name === undefined || resolved[name] === undefined) continue
    const [group, inner] = key.split('.') as [string, string?]
    if (valueAt(file, key.split('.')) !== undefined) {
      problems.push(`murder.${name} and murder.${key} are one setting: remove one of them`)
    }
    const before = resolved[group] ?? {}
    if (inner === undefined) resolved[group] ??= resolved[name]
    // A group that is not an object stays as it is, and the schema refuses it.
    else if (isGroup(before)) resolved[group] = { [inner]: resolved[name], ...before }
    delete resolved[name]
  }
  return { file: resolved, problems }
}
