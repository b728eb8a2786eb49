import { type Entry, entryOf } from '../../config/entries/entry.ts'
import type { Server } from '../../fleet/ssh/server.ts'

/** The entry of a server in `servers`. */
export const entryOfServer = ({ connection }: Pick<Server, 'connection'>): Entry => entryOf(connection.remote)

/** The environment variables of a command that runs on a server for the user. */
export function valuesOf(
  server: Pick<Server, 'connection' | 'host'>,
  release: string | undefined,
): Record<string, string> {
  const { env, roles } = entryOfServer(server)
  return {
    ...env,
    MURDER_HOST: server.host,
    MURDER_ROLES: roles.join(','),
    MURDER_RELEASE: release ?? '',
  }
}
