import { isLoopback } from '../../system/addresses.ts'
import type { ServerFacts } from '../scripts/facts-script.ts'

/**
 * The facts of a server with addresses that other machines can use. An sshd at the end of a tunnel sees loopback addresses, which
 * are useless to other machines. Then the server's own first address is used, and the deploy host's address is unknown. Loopback
 * addresses are right only on the deploy host itself, which has the addresses `here`.
 */
export function withUsableAddresses(facts: ServerFacts, here: readonly string[]): ServerFacts {
  const { clientAddress, serverAddress } = facts
  const addresses = facts.addresses.filter((address) => !isLoopback(address))
  if (addresses.every((address) => here.includes(address))) return facts
  const seen = (address: string | undefined) => (address && isLoopback(address) ? undefined : address)
  return { ...facts, clientAddress: seen(clientAddress), serverAddress: seen(serverAddress) ?? addresses[0] }
}
