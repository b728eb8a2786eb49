import type { Settings } from '../../config/schema.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { setNode } from '../scripts/node/find-node-script.ts'
import { placesOf, type Shared } from './places.ts'

/** What the setting names; undefined where Node is to be found, or brought. */
export const namedNode = ({ node }: Pick<Settings, 'node'>): string | undefined =>
  typeof node === 'string' && node !== 'bring' ? node : undefined

interface Nodes extends Shared {
  /** What runs Node on each server, as the check has found it. */
  nodes: ReadonlyMap<Server, string>
}

/** Shell text that sets `node` to the Node of this server: to what the check has found, or else finds now. */
export function setNodeOf(context: Nodes, server: Server): string {
  const places = placesOf(context, server)
  return setNode(context.nodes.get(server) ?? namedNode(places), places.remotePath)
}
