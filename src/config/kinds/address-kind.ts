import * as z from 'zod'
import { parseServerName } from '../../text/server-name.ts'
import { isServerName } from '../servers.ts'
import type { Kind } from './kind.ts'

/** Where others reach a server, by its name in `servers`. */
export interface AddressSetting {
  server: string
  address: string
}

/** A name and a port as ssh takes them, and no option. */
const isAddress = (text: string): boolean => {
  const port = Number(parseServerName(text)?.port ?? 22)
  return isServerName(text) && /^[\w[][\w.:@%+[\]-]*$/.test(text) && port > 0 && port < 65_536
}

const schema = z
  .record(z.string().min(1).max(255), z.string().refine(isAddress))
  .transform((addresses): AddressSetting[] =>
    Object.entries(addresses).map(([server, address]) => ({ server, address })),
  )

/** `a=10.0.0.5:2222, b=deploy@10.0.0.6`. */
function fromText(text: string): unknown {
  const entries = text.split(',').filter((part) => part.trim() !== '')
  const pairs = entries.map((part) => part.split('=').map((side) => side.trim()))
  return pairs.every(({ length }) => length === 2) ? Object.fromEntries(pairs) : text
}

const toText = (addresses: z.input<typeof schema>): string =>
  Object.entries(addresses)
    .map(([server, address]) => `${server}=${address}`)
    .join(', ')

/** Addresses by the names of servers. */
export const betweenAddresses: Kind<typeof schema> = {
  schema,
  allowed:
    "names of servers with their addresses, as in { a: '10.0.0.5:2222', b: 'deploy@10.0.0.6' }; as text 'a=10.0.0.5:2222, b=deploy@10.0.0.6'",
  fromText,
  show: (addresses) => addresses.map(({ server, address }) => `${server}: ${address}`).join('; ') || 'none',
  toText,
}
