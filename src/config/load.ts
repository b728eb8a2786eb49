import { posix } from 'node:path'
import { ExitCode, MurderError } from '../errors.ts'
import { resolveAliases } from './aliases.ts'
import {
  deployToProblems,
  directoryProblems,
  formProblems,
  seederProblems,
  serverProblems,
} from './checks.ts'
import { type CopyInput, readCopyOptions } from './copy/copy-options.ts'
import { entryProblems } from './entries/entry.ts'
import { sitesWithEntries } from './entries/sites.ts'
import { dryRunProblems, type FromEnvironment, readEnvironment, unknownVariables } from './environment.ts'
import { isGroup, type SettingKey, settingInfos, valueAt } from './keys.ts'
import { layers, overlay } from './layers.ts'
import { found, fullKey, problemsOf } from './problems.ts'
import { withoutRemoved } from './removed-settings.ts'
import { type Settings, schema } from './schema.ts'
import { serverList } from './servers.ts'

/** Where a value came from: `default`, `shipitfile` or `environment MURDER_TRACKER_PORT`. */
export type Origin = 'default' | 'shipitfile' | `environment ${string}`
export type Origins = Record<SettingKey, Origin>

/** Ports after the default one that a tracker may take. So many other deploys may run on one machine. */
const SPARE_PORTS = 31

export interface SettingsInput {
  /** The `murder` key of the environment in the shipitfile as it was written; undefined when there is none. */
  file: unknown
  /** The `murder` key of `default`, for settings that the environment leaves out. */
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
  const current = withoutRemoved(given, env)
  const own = layers(current.layers.map((layer) => resolveAliases(isGroup(layer) ? layer : {})))
  const input = overlay(own.file, environment)
  const parsed = schema.safeParse(input)
  const entries = serverList(servers)
  const wrongEntries = entryProblems(entries)
  const copied = readCopyOptions(copy)
  const nameOf = (key: SettingKey) => {
    const variable = environment.get(key)?.variable
    const name = fullKey(key.split('.'))
    return variable === undefined ? name : `${variable} (${name})`
  }
  const problems = [
    ...given.flatMap((layer) =>
      isGroup(layer) ? [] : [`murder is ${found(layer)}: allowed: an object of settings`],
    ),
    ...own.problems,
    ...(parsed.success ? [] : problemsOf(parsed.error, input, environment)),
    ...unknownVariables(env),
    ...dryRunProblems(env),
    ...deployToProblems(deployTo),
    ...wrongEntries,
    // Settings that name servers follow from these.
    ...(wrongEntries.length > 0 ? [] : seederProblems(input.seeder, servers, nameOf)),
    ...(parsed.success && wrongEntries.length === 0 ? serverProblems(parsed.data, entries, nameOf) : []),
    ...directoryProblems(input, deployTo, entries, nameOf),
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

function originsOf(file: unknown, environment: Map<SettingKey, FromEnvironment>): Origins {
  const origin = ({ key, path }: (typeof settingInfos)[number]): Origin => {
    const source = environment.get(key)
    if (source) return `environment ${source.variable}`
    return valueAt(file, path) === undefined ? 'default' : 'shipitfile'
  }
  return Object.fromEntries(settingInfos.map((info) => [info.key, origin(info)])) as Origins
}
