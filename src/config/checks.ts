import { posix } from 'node:path'
import type * as z from 'zod'
import type { CopyOptions } from './copy/copy-options.ts'
import { addressProblems } from './entries/addresses.ts'
import { entryOf } from './entries/entry.ts'
import { rolloutProblems } from './entries/rollout.ts'
import { selectionProblems } from './entries/select.ts'
import { siteProblems, sitesWithEntries } from './entries/sites.ts'
import type { SettingKey } from './keys.ts'
import * as paths from './kinds/paths.ts'
import { found } from './problems.ts'
import type { schema } from './schema.ts'
import { findServers, isServer, serverNames } from './servers.ts'
import { whatIsAllowed } from './suggest.ts'

/** A setting as the user wrote it: its variable or its key. */
type NameOf = (setting: SettingKey) => string

export function deployToProblems(deployTo: unknown): string[] {
  if (paths.deployTo.schema.safeParse(deployTo).success) return []
  return [`deployTo is ${found(deployTo)}: allowed: ${paths.deployTo.allowed}, such as /srv/app`]
}

export function seederProblems(seeder: unknown, servers: unknown, nameOf: NameOf): string[] {
  if (typeof seeder !== 'string' || seeder === '' || seeder === 'local') return []
  const matches = findServers(seeder, servers)
  if (matches.length === 1 || (matches.length === 0 && isServer(seeder))) return []
  const names = serverNames(servers)
  const what = `${nameOf('seeder')} is ${found(seeder)}`
  if (matches.length > 1) {
    const ones = matches.flatMap((at) => names[at] ?? []).join(', ')
    return [`${what}, which is more than one server: allowed: one of ${ones}`]
  }
  const allowed = whatIsAllowed(seeder, ['local', ...names])
  return [`${what}, which is not in servers: ${allowed}, or another one as user@host`]
}

/** Settings that do not fit the entries of `servers`. */
export function serverProblems(
  settings: z.output<typeof schema>,
  entries: readonly unknown[],
  nameOf: NameOf,
): string[] {
  // Single tasks may have other servers instead.
  const known = [...entries, ...(settings.peers ?? [])]
  const sites = sitesWithEntries(settings.sites, entries)
  return [
    ...siteProblems(sites, known, nameOf('sites')),
    ...addressProblems(settings.betweenAddresses, known, nameOf('betweenAddresses')),
    ...selectionProblems(entries, settings, nameOf),
    ...rolloutProblems({ ...settings, sites }, entries, nameOf),
  ]
}

/** A release that travels as a directory cannot be changed on the way, but these options of deploy.remoteCopy ask for that. */
export function formProblems(form: unknown, { asDirectory, copyLinks }: CopyOptions): string[] {
  const why = copyLinks ? 'rsync has --copy-links' : asDirectory ? 'copyAsDir is set' : undefined
  if (form !== 'directory' || why === undefined) return []
  return [`murder.package is "directory", but in deploy.remoteCopy ${why}: allowed: "file", or without that`]
}

/** The agent empties these directories, so nothing else may be in them. An entry of `servers` may have a `deployTo` of its own. */
export function directoryProblems(
  input: Record<string, unknown>,
  deployTo: unknown,
  entries: readonly unknown[],
  nameOf: NameOf,
): string[] {
  const roots = [deployTo, ...entries.map((entry) => entryOf(entry).deployTo)]
    .filter((root): root is string => typeof root === 'string' && root.startsWith('/'))
    .map((root) => posix.resolve(root))
  return (['remotePath', 'temporaryPath'] as const).flatMap((key) => {
    const value = input[key]
    if (typeof value !== 'string' || !value.startsWith('/')) return []
    const path = posix.resolve(value)
    const root = roots.find((one) => path === '/' || path === one || isInReleases(path, one))
    if (root === undefined) return []
    return [
      `${nameOf(key)} is ${found(value)}: allowed: a directory of its own, outside of the releases, such as ${posix.join(root, 'shared/murder')}`,
    ]
  })
}

const isInReleases = (path: string, root: string) =>
  ['releases', 'current'].some((name) => `${path}/`.startsWith(posix.join(root, name, '/')))
