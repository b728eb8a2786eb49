import { isIP } from 'node:net'
import { isLoopback, ownAddresses } from '../../system/addresses.ts'
import { usageError } from '../cli/arguments.ts'

/**
 * The address to announce, from an address or a name: peers get an IP address that leads to this machine. A router that forwards
 * to this machine has an address of its own, which only `nat` allows.
 */
export async function checkAddress(given: string | undefined, nat: boolean): Promise<string | undefined> {
  if (given === undefined) {
    if (nat) throw usageError('--nat needs the address of the router', 'name it with --address')
    return undefined
  }
  const found = isIP(given) > 0 ? [given] : await lookUp(given)
  if (found.length === 0)
    throw refused(`'${given}' is neither an IP address nor a name that can be looked up`)
  if (nat) return found[0]
  // Loopback only when asked for by number: often a machine's own name means 127.0.1.1 to itself.
  const own = found.find((address) => ownAddresses().includes(address) || isLoopback(given))
  if (own === undefined) throw refused(`'${given}' ${whyNot(given, found)}`)
  return own
}

function whyNot(given: string, found: string[]): string {
  if (found.every(isLoopback)) return `means ${found.join(', ')} here, where no other machine reaches it`
  return found[0] === given
    ? 'is not one of this machine'
    : `means ${found.join(', ')}, which is not one of this machine`
}

async function lookUp(name: string): Promise<string[]> {
  const { lookup } = await import('node:dns/promises')
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address)
  } catch {
    return []
  }
}

function refused(why: string) {
  const own = ownAddresses().join(', ') || 'none but loopback'
  return usageError(
    `the own address ${why}`,
    `this machine has ${own}; --nat if a router has that address and forwards the port`,
  )
}
