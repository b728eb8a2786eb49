import type { Settings } from '../../config/schema.ts'
import { ExitCode, MurderError } from '../../errors.ts'
import { namedNode } from '../paths/server-node.ts'
import type { ServerFacts } from '../scripts/facts-script.ts'
import { OLDEST_NODE } from '../scripts/node/find-node-script.ts'

/** Why a deploy to this server would fail later. */
export function faultOf(
  facts: ServerFacts,
  node: Settings['node'],
): { code: string; message: string; cure: string } | undefined {
  if (facts.problem !== undefined) {
    return {
      code: 'SERVER_PATH',
      message: facts.problem,
      cure: 'check deployTo, murder.remotePath, murder.temporaryPath and who owns them there',
    }
  }
  const version = parseVersion(facts.node)
  if (!version) return noNode(namedNode({ node }), facts.nodeSaid)
  return isNew(version)
    ? undefined
    : { code: 'OLD_NODE', message: `Node.js ${facts.node} is too old`, cure: NODE_CURE }
}

/** Whether bringing Node to the server may help. */
export const lacksNode = ({ code }: { code: string }): boolean =>
  ['NO_NODE', 'OLD_NODE', 'NODE_BROKEN'].includes(code)

const NODE_CURE =
  "set murder.node to 'bring', and one is uploaded; or install Node.js 20.19 or newer there, or set murder.node to its path"

function noNode(named: string | undefined, said: string | undefined) {
  if (said === undefined || isMissing(said)) {
    const message =
      named === undefined
        ? 'there is no Node.js: none was found'
        : `there is no Node.js: "${named}" does not run`
    return { code: 'NO_NODE', message, cure: NODE_CURE }
  }
  return {
    code: 'NODE_BROKEN',
    message: `Node.js does not run there: ${said}`,
    cure: `see what "${named ?? 'node'} -p 1" says there; NODE_OPTIONS and limits (ulimit -v) of the login count${named === undefined ? ", and a shim needs a version; or set murder.node to 'bring'" : ''}`,
  }
}

const isNew = ([major, minor]: [number, number]): boolean =>
  major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])

const isMissing = (said: string) => /not found|No such file or directory$/.test(said)

/** Node has zstd since 22.15 and 23.8. */
export function hasZstd(facts: ServerFacts): boolean {
  const [major, minor] = parseVersion(facts.node) ?? [0, 0]
  return major > 23 || (major === 23 && minor >= 8) || (major === 22 && minor >= 15)
}

function parseVersion(version: string | undefined): [number, number] | undefined {
  const match = /^v(\d+)\.(\d+)\./.exec(version ?? '')
  return match ? [Number(match[1]), Number(match[2])] : undefined
}

/** The directories in `places`, in that order. */
const PLACES = ['deployTo', 'murder.remotePath', 'murder.temporaryPath']

/**
 * Finds two entries of `servers` that are the same machine and directory, or share a directory: they would unpack over each
 * other.
 */
export function sameMachine(
  servers: readonly { label: string; facts: ServerFacts }[],
): MurderError | undefined {
  const seen = new Map<string, string>()
  for (const { label, facts } of servers) {
    if (facts.identity === undefined) continue
    const other = seen.get(facts.identity)
    if (other !== undefined) {
      return new MurderError('SAME_SERVER', `${other} and ${label} are the same machine`, {
        exitCode: ExitCode.usage,
        server: label,
        cure: 'remove one of them from "servers"',
      })
    }
    seen.set(facts.identity, label)
  }
  return sharedDirectory(servers)
}

function sharedDirectory(servers: readonly { label: string; facts: ServerFacts }[]): MurderError | undefined {
  const seen = new Map<string, string>()
  for (const { label: server, facts } of servers) {
    const shared = facts.places.findIndex((place) => seen.has(place))
    if (shared !== -1) {
      const other = seen.get(facts.places[shared] ?? '')
      const what = PLACES[shared]
      const cure =
        what === 'deployTo'
          ? 'name only one of them in "servers": what it gets, the other one has; or give each a deployTo on its own disk'
          : `set ${what} to a directory on the own disk of each`
      return new MurderError('SHARED_DIRECTORY', `${other} and ${server} share one directory: ${what}`, {
        exitCode: ExitCode.usage,
        server,
        cure,
      })
    }
    for (const place of facts.places) seen.set(place, server)
  }
  return undefined
}
