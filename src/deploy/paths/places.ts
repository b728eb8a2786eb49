import { posix } from 'node:path'
import { entryOf } from '../../config/entries/entry.ts'
import type { Settings } from '../../config/schema.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { Shipit } from '../../shipit.ts'

/** What the servers of an environment share, unless the entry of one says otherwise. */
export interface Shared {
  settings: Settings
  shipit: Pick<Shipit, 'config'>
}

/** Directories and Node of one server. */
export interface Places extends Pick<Settings, 'remotePath' | 'temporaryPath' | 'node'> {
  deployTo: string
}

/** The server's own, or without a server the environment's. The settings cannot be read where it is missing. */
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
