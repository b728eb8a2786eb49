import type { Settings } from '../../config/schema.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { setNode } from '../scripts/node/find-node-script.ts'
import { placesOf, type Shared } from './places.ts'

/** The Node that the setting names; undefined where Node is to be found or brought. */
export const namedNode = ({ node }: Pick<Settings, 'node'>): string | undefined =>
  typeof node === 'string' && node !== 'bring' ? node : undefined

interface Nodes extends Shared {
  /** Notes the Node that the check found on each server. */
  nodes: ReadonlyMap<Server, string>
}

/** Shell text that sets `node` to the Node of this server: the one that the check found, or else one that it finds now. */
export function setNodeOf(context: Nodes, server: Server): string {
  const places = placesOf(context, server)
  return setNode(context.nodes.get(server) ?? namedNode(places), places.remotePath)
}
