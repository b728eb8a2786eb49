import type { resolveAliases } from './aliases.ts'
import type { FromEnvironment } from './environment.ts'
import { isGroup, type SettingKey, settingInfos } from './keys.ts'

/**
 * Merges layers of settings: later ones take precedence, setting by setting. A group that is not an object replaces the whole
 * group.
 */
export function layers(all: readonly ReturnType<typeof resolveAliases>[]): ReturnType<typeof resolveAliases> {
  const file: Record<string, unknown> = {}
  for (const layer of all) {
    for (const [name, value] of Object.entries(layer.file)) {
      const before = file[name]
      const isMerged = groupNames.has(name) && isGroup(before) && isGroup(value)
      file[name] = isMerged ? mergeGroups(before, value) : value
    }
  }
  return { file, problems: all.flatMap(({ problems }) => problems) }
}

/** Settings of a group, which may have a group of its own. */
function mergeGroups(
  before: Record<string, unknown>,
  after: Record<string, unknown>,
): Record<string, unknown> {
  const merged = { ...before, ...after }
  for (const [name, value] of Object.entries(after))
    if (isGroup(before[name]) && isGroup(value)) merged[name] = { ...before[name], ...value }
  return merged
}

const groupNames = new Set(settingInfos.flatMap(({ path }) => (path.length > 1 ? [path[0]] : [])))

/** A copy of the shipitfile's settings in which those of the environment take precedence. */
export function overlay(
  file: Record<string, unknown>,
  environment: Map<SettingKey, FromEnvironment>,
): Record<string, unknown> {
  const merged = { ...file }
  for (const { key, path } of settingInfos) {
    const source = environment.get(key)
    if (source === undefined) continue
    setAt(merged, path, source.value)
  }
  return merged
}

/** Sets a value within copies of the groups above it. A group that is not an object stays as it is, and the schema refuses it. */
function setAt(group: Record<string, unknown>, [name = '', ...below]: string[], value: unknown): void {
  if (below.length === 0) {
    group[name] = value
    return
  }
  const inner = group[name] ?? {}
  if (!isGroup(inner)) return
  const copy = { ...inner }
  group[name] = copy
  setAt(copy, below, value)
}
