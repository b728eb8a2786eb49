import type { AddressSetting } from '../kinds/address-kind.ts'
import { findServers, serverNames } from '../servers.ts'
import { refusedName } from '../suggest.ts'

/** One line for each name that is no server. `name` is the setting as the user wrote it. */
export function addressProblems(
  addresses: readonly AddressSetting[],
  servers: readonly unknown[],
  name: string,
): string[] {
  return addresses.flatMap(({ server }) =>
    findServers(server, servers).length > 0
      ? []
      : [refusedName(name, server, 'is not in servers', serverNames(servers))],
  )
}
