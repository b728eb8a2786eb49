import { join, resolve } from 'node:path'

/** What single steps keep between two calls, below the current directory. */
export const base = (): string => resolve('.shipit-murder')

/** Names in there that are no environment's. */
const TAKEN = ['run', 'logs', 'last', 'brought', 'fleet.json']

/** Where tracker and seeder of the deploy host note that they run. */
export const localRuns = (): string => join(base(), 'run')

/** What became of an environment's last deploy. */
export const lastRunFile = (environment: string): string =>
  join(base(), 'last', `${environmentName(environment)}.json`)

/** Which release `murder:peer` has brought last to an environment. It outlives the package. */
export const broughtFile = (environment: string): string =>
  join(base(), 'brought', `${environmentName(environment)}.json`)

/** One log a deploy. */
export const logsDirectory = (): string => join(base(), 'logs')

/** The environment's name as that of a directory, which is no other environment's. */
export function environmentName(environment: string): string {
  const name = encodeURIComponent(environment).replace(/^\./, '%2E')
  return name === '' || TAKEN.includes(name) ? `${name}%` : name // encoded, no name ends so
}

/** What is packaged for an environment: package, torrent, description, and the workspace where none is configured. */
export const environmentDirectory = (environment: string): string =>
  join(base(), environmentName(environment))

/** Pattern, in .gitignore's syntax, that keeps all this out of a package when it is inside of what is packaged. */
export function ownFiles(root: string): string[] {
  if (!base().startsWith(join(root, '/'))) return []
  const inside = base().slice(join(root, '/').length)
  return [`/${inside.replace(/[\\*?[\]!# ]/g, '\\$&')}/`]
}

/** Beside a stored package: whom the tracker answers about it. Holds its secret. */
export const PERMIT = 'permit.json'
