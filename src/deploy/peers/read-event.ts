import type { AgentEvent } from '../../protocol/events.ts'
import { parseAddress } from '../../system/addresses.ts'
import { oneLine } from '../../text/format.ts'
import type { FleetFacts } from '../preflight/preflight.ts'

/** How many bytes are to be fetched, and how many have come: bytes that were there before are not counted. */
export function transferOf({ bytes, kept, down }: AgentEvent & { event: 'progress' }, length: number) {
  const before = Math.min(amount(kept), length)
  const fetched = Math.max(0, Math.min(amount(bytes), length) - before)
  return { bytes: fetched, total: length - before, rate: amount(down) }
}

/** A number in an event, which a server may have made up. */
export const amount = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0

/** The server with this address, when there is one; else the address with control characters stripped. */
export function nameOf(facts: FleetFacts, address: string): string {
  const host = parseAddress(address)?.host ?? address
  const [server, another] = [...facts].flatMap(([server, { addresses, serverAddress }]) =>
    [...addresses, serverAddress].includes(host) ? [server] : [],
  )
  return server && !another ? `${server.label} (${host})` : oneLine(address)
}
