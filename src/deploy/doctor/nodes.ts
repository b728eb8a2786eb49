import type { TaskContext } from '../context/context.ts'
import { placesOf } from '../paths/places.ts'
import type { FleetFacts } from '../preflight/preflight.ts'
import { describeNode, originOfNode } from '../scripts/node/find-node-script.ts'

/** A line for each server whose Node is neither the one on the PATH nor the one in the settings. */
export function unusualNodes(context: Pick<TaskContext, 'settings' | 'shipit'>, facts: FleetFacts): string[] {
  return [...facts].flatMap(([server, { node = '', nodePath }]) => {
    const { label } = server
    const { remotePath, node: setting } = placesOf(context, server)
    if (nodePath === undefined) return [`${label}: a deploy brings Node.js${node === '' ? '' : ` ${node}`}`]
    const isNamed = nodePath === setting || originOfNode(nodePath, remotePath) === undefined
    return isNamed ? [] : [`${label}: Node.js ${describeNode(node, nodePath, remotePath)}, ${nodePath}`]
  })
}

/** The servers that have a Node, so that they can run a probe. */
export const withNode = (facts: FleetFacts): FleetFacts =>
  new Map([...facts].filter(([, { nodePath }]) => nodePath !== undefined))
