import { join, resolve } from 'node:path'

/**
 * The directory in which single steps keep files between two calls. A directory of this name is never packaged, wherever it is:
 * it lies in the current directory, which links may lead to and a shipitfile may change.
 */
export const OWN_DIRECTORY = '.shipit-murder'

export const base = (): string => resolve(OWN_DIRECTORY)

/** Names in that directory that belong to no environment. */
const TAKEN = ['run', 'logs', 'last', 'rollout', 'brought', 'bases', 'fleet.json']

/** Where tracker and seeder of the deploy host note that they run. */
export const localRuns = (): string => join(base(), 'run')

/** The outcome of an environment's last deploy. */
export const lastRunFile = (environment: string): string =>
  join(base(), 'last', `${environmentName(environment)}.json`)

/** The rollout of an environment that has begun and is not done. */
export const rolloutFile = (environment: string): string =>
  join(base(), 'rollout', `${environmentName(environment)}.json`)

/** The release that `murder:peer` has brought last to an environment. This file outlives the package. */
export const broughtFile = (environment: string): string =>
  join(base(), 'brought', `${environmentName(environment)}.json`)

/** The bases: what is kept of an environment's last releases, from which deltas are made. */
export const basesDirectory = (environment: string): string =>
  join(base(), 'bases', environmentName(environment))

/** Beside them: the hashes of files that were deployed last. */
export const hashesFile = (bases: string): string => join(bases, 'hashes.json')

/** One log a deploy. */
export const logsDirectory = (): string => join(base(), 'logs')

/** The name of the environment's directory, different for each environment. */
export function environmentName(environment: string): string {
  const name = encodeURIComponent(environment).replace(/^\./, '%2E')
  return name === '' || TAKEN.includes(name) ? `${name}%` : name // encoded, no name ends so
}

/** Package, torrent and description of an environment, and its workspace where none is configured. */
export const environmentDirectory = (environment: string): string =>
  join(base(), environmentName(environment))

/** Beside a stored package: the addresses that the tracker answers about it, and its secret. */
export const PERMIT = 'permit.json'
