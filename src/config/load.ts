import { posix } from 'node:path'
import type { z } from 'zod'
import { ExitCode, MurderError } from '../errors.ts'
import { addressProblems } from './address-kind.ts'
import { resolveAliases } from './aliases.ts'
import { type CopyInput, type CopyOptions, readCopyOptions } from './copy/copy-options.ts'
import { entryProblems } from './entries/entry.ts'
import { rolloutProblems } from './entries/rollout.ts'
import { selectionProblems } from './entries/select.ts'
import { sitesWithEntries } from './entries/sites.ts'
import { dryRunProblems, type FromEnvironment, readEnvironment, unknownVariables } from './environment.ts'
import { leaveOutGone } from './gone.ts'
import { isGroup, type SettingKey, settingInfos, valueAt } from './keys.ts'
import * as kinds from './kinds.ts'
import { found, fullKey, problemsOf } from './problems.ts'
import { type Settings, schema } from './schema.ts'
import { findServers, isServer, serverList, serverNames } from './servers.ts'
import { siteProblems } from './sites.ts'
import { suggest } from './suggest.ts'

/** Where a value came from: `default`, `shipitfile` or `environment MURDER_TRACKER_PORT`. */
export type Origin = 'default' | 'shipitfile' | `environment ${string}`
export type Origins = Record<SettingKey, Origin>

/** Ports after the default one that a tracker may take: so many other deploys may run on one machine. */
const SPARE_PORTS = 31

export interface SettingsInput {
  /** The `murder` key of the environment in the shipitfile as it was written; undefined when there is none. */
  file: unknown
  /** The one of `default`: what the environment does not say comes from there. */
  base?: unknown
  env: NodeJS.ProcessEnv
  /** Shipit's `deployTo`. */
  deployTo: unknown
  /** Shipit's `servers`. */
  servers: unknown
  /** Shipit's settings of what shipit-deploy copies. */
  copy?: CopyInput
}

/**
 * Settings in force: environment over shipitfile over default.
 * @throws MurderError SETTINGS, exit code 2, with one complete line for each problem.
 */
export function loadSettings({ file, base, env, deployTo, servers, copy = {} }: SettingsInput): {
  settings: Settings
  origins: Origins
  /** A line for each setting that was given and does nothing any more. */
  notes: string[]
} {
  const environment = readEnvironment(env)
  const given = [base ?? {}, file ?? {}]
  const current = leaveOutGone(given, env)
  const own = layers(current.layers.map((layer) => resolveAliases(isGroup(layer) ? layer : {})))
  const input = overlay(own.file, environment)
  const parsed = schema.safeParse(input)
  const entries = serverList(servers)
  const copied = readCopyOptions(copy)
  const problems = [
    ...given.flatMap((layer) =>
      isGroup(layer) ? [] : [`murder is ${found(layer)}: allowed: an object of settings`],
    ),
    ...own.problems,
    ...(parsed.success ? [] : problemsOf(parsed.error, input, environment)),
    ...unknownVariables(env),
    ...dryRunProblems(env),
    ...deployToProblems(deployTo),
    ...seederProblems(input.seeder, servers, environment),
    ...entryProblems(entries),
    ...(parsed.success ? serverProblems(parsed.data, entries, environment) : []),
    ...directoryProblems(input, deployTo, environment),
    ...copied.problems,
    ...formProblems(input.package, copied.copy),
  ]
  if (!parsed.success || problems.length > 0)
    throw new MurderError('SETTINGS', problems.join('\n'), { exitCode: ExitCode.usage })

  const remotePath = parsed.data.remotePath ?? posix.join(String(deployTo), 'shared/murder')
  const temporaryPath = parsed.data.temporaryPath ?? posix.join(remotePath, 'tmp')
  const origins = originsOf(own.file, environment)
  const { port } = parsed.data.tracker
  const trackerPorts: [number, number] = [
    port,
    origins['tracker.port'] === 'default' ? port + SPARE_PORTS : port,
  ]
  const sites = sitesWithEntries(parsed.data.sites, entries)
  const settings = { ...parsed.data, sites, remotePath, temporaryPath, trackerPorts }
  return { settings, origins, notes: current.notes }
}

/** Settings of which the later ones take precedence, each by itself; a group that is no object takes the place of all of it. */
function layers(all: readonly ReturnType<typeof resolveAliases>[]): ReturnType<typeof resolveAliases> {
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
function overlay(
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

function originsOf(file: unknown, environment: Map<SettingKey, FromEnvironment>): Origins {
  const origin = ({ key, path }: (typeof settingInfos)[number]): Origin => {
    const source = environment.get(key)
    if (source) return `environment ${source.variable}`
    return valueAt(file, path) === undefined ? 'default' : 'shipitfile'
  }
  return Object.fromEntries(settingInfos.map((info) => [info.key, origin(info)])) as Origins
}

function deployToProblems(deployTo: unknown): string[] {
  if (kinds.path.schema.safeParse(deployTo).success) return []
  return [`deployTo is ${found(deployTo)}: allowed: ${kinds.path.allowed}, such as /srv/app`]
}

/** Name of a setting as the user wrote it: its variable or its key. */
const nameOf = (key: SettingKey, environment: Map<SettingKey, FromEnvironment>) => {
  const variable = environment.get(key)?.variable
  return variable === undefined ? fullKey(key.split('.')) : `${variable} (${fullKey(key.split('.'))})`
}

function seederProblems(
  seeder: unknown,
  servers: unknown,
  environment: Map<SettingKey, FromEnvironment>,
): string[] {
  if (typeof seeder !== 'string' || seeder === '' || seeder === 'local') return []
  const matches = findServers(seeder, servers)
  if (matches.length === 1 || (matches.length === 0 && isServer(seeder))) return []
  const names = serverNames(servers)
  const what = `${nameOf('seeder', environment)} is ${found(seeder)}`
  if (matches.length > 1)
    return [
      `${what}, which is more than one server: allowed: one of ${listed(matches.map((at) => names[at]))}`,
    ]
  const meant = suggest(seeder, ['local', ...names])
  const hint = meant === undefined ? '' : `did you mean ${meant}? `
  return [
    `${what}, which is not in servers: ${hint}allowed: ${listed(['local', ...names])}, or another one as user@host`,
  ]
}

/** What does not fit the entries of `servers`. */
function serverProblems(
  settings: z.output<typeof schema>,
  entries: readonly unknown[],
  environment: Map<SettingKey, FromEnvironment>,
): string[] {
  // Single tasks may have other servers instead.
  const known = [...entries, ...(settings.peers ?? [])]
  const sites = sitesWithEntries(settings.sites, entries)
  return [
    ...siteProblems(sites, known, nameOf('sites', environment)),
    ...addressProblems(settings.betweenAddresses, known, nameOf('betweenAddresses', environment)),
    ...selectionProblems(entries, settings, (setting) => nameOf(setting, environment)),
    ...rolloutProblems({ ...settings, sites }, entries, (setting) => nameOf(setting, environment)),
  ]
}

/** The first ten names, because a fleet may be large. */
function listed(names: (string | undefined)[]): string {
  const shown = names.slice(0, 10).map(String).join(', ')
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown
}

/** A release that travels as a directory cannot change on the way, as these options of deploy.remoteCopy want. */
function formProblems(form: unknown, { asDirectory, copyLinks }: CopyOptions): string[] {
  const why = copyLinks ? 'rsync has --copy-links' : asDirectory ? 'copyAsDir is set' : undefined
  if (form !== 'directory' || why === undefined) return []
  return [`murder.package is "directory", but in deploy.remoteCopy ${why}: allowed: "file", or without that`]
}

/** The agent empties these directories, so nothing else may be in them. */
function directoryProblems(
  input: Record<string, unknown>,
  deployTo: unknown,
  environment: Map<SettingKey, FromEnvironment>,
): string[] {
  if (typeof deployTo !== 'string' || !deployTo.startsWith('/')) return []
  const root = posix.resolve(deployTo)
  return (['remotePath', 'temporaryPath'] as const).flatMap((key) => {
    const value = input[key]
    if (typeof value !== 'string' || !value.startsWith('/')) return []
    const path = posix.resolve(value)
    const taken = ['releases', 'current'].some((name) => `${path}/`.startsWith(posix.join(root, name, '/')))
    if (path !== '/' && path !== root && !taken) return []
    return [
      `${nameOf(key, environment)} is ${found(value)}: allowed: a directory of its own, outside of the releases, such as ${posix.join(root, 'shared/murder')}`,
    ]
  })
}
