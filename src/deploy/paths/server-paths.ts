import { posix } from 'node:path'
import type { Settings } from '../../config/schema.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { agentPath } from './agent-program.ts'
import { placesOf, type Shared } from './places.ts'
import { namedNode } from './server-node.ts'

/** Paths on a server that most scripts need. */
export interface ServerPaths {
  deployTo: string
  remotePath: string
  temporaryPath: string
  agent: string
  /** Name or path of Node. If it is undefined, scripts search for it. */
  node: string | undefined
}

export function serverPaths(context: Shared, server: Server): ServerPaths {
  const { deployTo, remotePath, temporaryPath, node } = placesOf(context, server)
  return { deployTo, remotePath, temporaryPath, agent: agentPath({ remotePath }), node: namedNode({ node }) }
}

/** Everything temporary of one transfer on a server. The peer ends when this directory is removed. */
export const transferPath = ({ temporaryPath }: Pick<Settings, 'temporaryPath'>, tag: string): string =>
  posix.join(temporaryPath, tag)

/** The file in which a server notes the SHA-256 of the package of a directory. A release's name is its tag. */
export const notePath = (remotePath: string, name: string): string => posix.join(remotePath, 'unpacked', name)

/** Beside the releases: the agent's note of what was delivered as each. */
export const RECORDS = '.murder-bases'

export const recordPath = (deployTo: string, release: string): string =>
  posix.join(deployTo, RECORDS, release)

export const releasesPath = (deployTo: string): string => posix.join(deployTo, 'releases')
