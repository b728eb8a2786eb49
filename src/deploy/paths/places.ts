import { posix } from 'node:path'
import { entryOf } from '../../config/entries/entry.ts'
import type { Settings } from '../../config/schema.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { Shipit } from '../../shipit.ts'

/** Settings that the servers of an environment share, unless a server's entry says otherwise. */
export interface Shared {
  settings: Settings
  shipit: Pick<Shipit, 'config'>
}

/** Directories and Node of one server. */
export interface Places extends Pick<Settings, 'remotePath' | 'temporaryPath' | 'node'> {
  deployTo: string
}

/** The server's own `deployTo`, else the environment's. Where both are missing, reading the settings has failed before. */
export function deployToOf({ config }: Pick<Shipit, 'config'>, server?: Pick<Server, 'connection'>): string {
  const own = server && entryOf(server.connection.remote).deployTo
  return own ?? config.deployTo ?? ''
}

/** Where `remotePath` and `temporaryPath` are not set, they follow the server's own `deployTo`. */
export function placesOf({ settings, shipit }: Shared, server?: Pick<Server, 'connection'>): Places {
  const common = deployToOf(shipit)
  const { deployTo = common, node = settings.node } = server ? entryOf(server.connection.remote) : {}
  const { remotePath, temporaryPath } = settings
  const own = remotePath === ownPath(common) ? ownPath(deployTo) : remotePath
  const temporary = temporaryPath === temporaryIn(remotePath) ? temporaryIn(own) : temporaryPath
  return { deployTo, node, remotePath: own, temporaryPath: temporary }
}

const ownPath = (deployTo: string) => posix.join(deployTo, 'shared/murder')
const temporaryIn = (remotePath: string) => posix.join(remotePath, 'tmp')
