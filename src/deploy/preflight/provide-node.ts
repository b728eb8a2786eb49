import type { Server } from '../../fleet/ssh/server.ts'
import type { Failure } from '../../report/failures.ts'
import type { TaskContext } from '../context/context.ts'
import { type Brought, bringNode, buildsFor } from '../node/bring-node.ts'
import type { Build } from '../node/build.ts'
import { chooseBuild, isNewer } from '../node/choose-build.ts'
import { placesOf } from '../paths/places.ts'
import type { ServerFacts } from '../scripts/facts-script.ts'
import { BROUGHT_PREFIX } from '../scripts/node/find-node-script.ts'
import type { Platform } from '../scripts/node/platform-script.ts'

/** The answers of servers, by whether they have a Node that will do. */
export interface Answers {
  fit: Map<Server, ServerFacts>
  /** Servers that lack only a Node. */
  lacking: Map<Server, ServerFacts>
}

/**
 * Brings Node to servers and moves them from `lacking` to `fit`. With `readOnly` it moves those to which Node could be brought.
 * Also replaces an older Node that was brought before. Returns the failures. Throws BAD_NODE_FILE.
 */
export async function provideNode(
  context: TaskContext,
  { fit, lacking }: Answers,
  readOnly: boolean,
): Promise<Failure[]> {
  const { node } = context.settings
  const pathOn = (server: Server) => placesOf(context, server).remotePath
  const earlier = [...fit].filter(([server, { nodePath }]) =>
    nodePath?.startsWith(`${pathOn(server)}/${BROUGHT_PREFIX}`),
  )
  if (lacking.size === 0 && earlier.length === 0) return []
  const builds = await buildsFor(node)
  if (readOnly) return pretend(context, { fit, lacking }, builds)
  const stale = earlier.filter(([server, found]) => isStale(found, builds, pathOn(server)))
  const { nodes, failures } = await bring(context, [...lacking, ...stale], builds)
  for (const [server, { version, path }] of nodes) {
    const found = fit.get(server) ?? lacking.get(server)
    if (found) fit.set(server, { ...found, node: version, nodePath: path })
  }
  // A Node that was brought before will do, even if it is older.
  const isNeeded = ({ server }: Failure) => [...lacking.keys()].some(({ label }) => label === server)
  for (const { server, cause } of failures.filter((failure) => !isNeeded(failure)))
    context.display.board().log(`${server} keeps its Node.js: ${cause}`, server)
  return failures.filter(isNeeded)
}

function bring(
  context: TaskContext,
  servers: [Server, ServerFacts][],
  builds: readonly Build[],
): Promise<Brought> {
  const platforms = servers.flatMap(([server, { platform }]): [Server, Platform][] =>
    platform ? [[server, platform]] : [],
  )
  return bringNode(context, new Map(platforms), builds)
}

function isStale({ node, platform }: ServerFacts, builds: readonly Build[], remotePath: string): boolean {
  const build = platform && chooseBuild(platform, builds, remotePath).build
  return build?.version !== undefined && node !== undefined && isNewer(build.version, node)
}

function pretend(
  context: Pick<TaskContext, 'settings' | 'shipit'>,
  { fit, lacking }: Answers,
  builds: readonly Build[],
): Failure[] {
  return [...lacking].flatMap(([server, found]): Failure[] => {
    const { build, refusal } = chooseBuild(
      found.platform as Platform,
      builds,
      placesOf(context, server).remotePath,
    )
    if (!build) return [{ server: server.label, step: 'check', ...refusal }]
    fit.set(server, { ...found, node: build.version, nodePath: undefined })
    return []
  })
}
