import { isLoopback } from '../../system/addresses.ts'
import type { ServerFacts } from '../scripts/facts-script.ts'

/**
 * The facts of a server with addresses that other machines can use. An sshd at the end of a tunnel sees loopback addresses, which
 * mean another machine everywhere else: then the server has the first address that it knows of itself, and the address of the
 * deploy host is unknown. Loopback addresses are right only on the deploy host itself, which has the addresses `here`.
 */
export function withUsableAddresses(facts: ServerFacts, here: readonly string[]): ServerFacts {
  const { clientAddress, serverAddress } = facts
  const addresses = facts.addresses.filter((address) => !isLoopback(address))
  if (addresses.every((address) => here.includes(address))) return facts
  const seen = (address: string | undefined) => (address && isLoopback(address) ? undefined : address)
  return { ...facts, clientAddress: seen(clientAddress), serverAddress: seen(serverAddress) ?? addresses[0] }
}
