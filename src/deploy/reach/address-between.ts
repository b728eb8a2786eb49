import { isIP } from 'node:net'
import type { AddressSetting } from '../../config/kinds/address-kind.ts'
import { findServers } from '../../config/servers.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { LinkTarget } from '../../protocol/link.ts'
import { isLoopback } from '../../system/addresses.ts'
import { defined } from '../../system/defined.ts'
import { parseServerName } from '../../text/server-name.ts'
import type { ServerFacts } from '../scripts/facts-script.ts'

/** Each address is tried, and a server may have hundreds. */
const MAX_HOSTS = 4

/**
 * Where other servers reach the sshd of a server. Names and routes in the deploy host's ssh_config may not work there, so it is
 * the server's own address, unless `betweenAddresses` has another.
 */
export function addressBetween(
  settings: readonly AddressSetting[],
  server: Server,
  facts: Pick<ServerFacts, 'serverAddress' | 'serverPort' | 'addresses'> | undefined,
): Pick<LinkTarget, 'hosts' | 'port' | 'user'> {
  const named = settings.find((one) => findServers(one.server, [server]).length > 0)
  const set = named && parseServerName(named.address)
  const told = [facts?.serverAddress ?? '', ...(facts?.addresses.filter((one) => !isLoopback(one)) ?? [])]
  const own = told.filter((address) => isIP(address) > 0)
  const hosts = set ? [set.host] : [...new Set(own.length > 0 ? own : [server.host])].slice(0, MAX_HOSTS)
  const port = Number(set?.port ?? facts?.serverPort ?? server.port)
  return { hosts, port, ...defined({ user: set?.user }) }
}
