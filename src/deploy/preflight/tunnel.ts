import { isLoopback } from '../../system/addresses.ts'
import type { ServerFacts } from '../scripts/facts-script.ts'

/**
 * The addresses of a server as other machines may use them. An sshd at the end of a tunnel sees loopback addresses, which name
 * another machine everywhere else: then the server has the first address that it knows of itself, and that of the deploy host is
 * not known. Only on the deploy host itself, which has the addresses `here`, they are right.
 */
export function throughTunnel(facts: ServerFacts, here: readonly string[]): ServerFacts {
  const { clientAddress, serverAddress } = facts
  const addresses = facts.addresses.filter((address) => !isLoopback(address))
  if (addresses.every((address) => here.includes(address))) return facts
  const seen = (address: string | undefined) => (address && isLoopback(address) ? undefined : address)
  return { ...facts, clientAddress: seen(clientAddress), serverAddress: seen(serverAddress) ?? addresses[0] }
}
