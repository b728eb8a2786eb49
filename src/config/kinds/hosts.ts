import { isIP } from 'node:net'
import * as z from 'zod'
import { oneLine } from '../../text/format.ts'
import { isServer, isServerName } from '../servers.ts'
import { commaSeparated, isOneLine, type Kind, listKind, textKind, trimmed } from './kind.ts'

/** RFC 1123 names, and underscores because people have them. */
const hostName = /^(?=.{1,253}$)[a-z\d_]([a-z\d_-]{0,62})(\.[a-z\d_-]{1,63})*\.?$/i
export const host = textKind(
  z.string().refine((text) => isIP(text) !== 0 || hostName.test(text)),
  'a host name or an IP address, without a port',
  trimmed,
)

const isPlace = (text: string) =>
  ['seeder', 'local', 'none'].includes(text) ||
  isServer(text) ||
  (/^https?:\/\/\S+$/.test(text) && URL.canParse(text))
const trackerPlaceSchema = z
  .union([z.literal(false), z.string().refine(isPlace)])
  .transform((value) => (value === false ? 'none' : value))

export const trackerPlace: Kind<typeof trackerPlaceSchema> = {
  schema: trackerPlaceSchema,
  allowed:
    "'seeder', 'local', 'none' or false, a server such as deploy@t.example.com, or an announce URL such as http://tracker.example.com:6969/announce",
  fromText: (text) => (/^(false|no|off|0)$/i.test(text.trim()) ? false : text.trim()),
  show: oneLine,
  toText: String,
}

export const seeder = textKind(
  z.string().min(1).refine(isOneLine),
  "'local', one of the servers, or another one such as deploy@s.example.com",
  trimmed,
)

const serversSchema = z.array(z.string().refine(isServerName)).min(1)

export const servers = listKind(
  serversSchema,
  "a list of servers such as ['deploy@x.example.com', 'deploy@y.example.com:2222']",
  'none',
)

export const isRole = (text: string): boolean => /^[\w.-]{1,64}$/.test(text)

const rolesSchema = z.array(z.string().refine(isRole))

/** A variable that names nobody chooses nobody: refused, as it would choose all. */
const chosen = <S extends z.ZodType<string[], string[]>>(kind: Kind<S>): Kind<S> => ({
  ...kind,
  fromText: (text) => (commaSeparated(text).length > 0 ? kind.fromText(text) : text),
})

export const roles = chosen(listKind(rolesSchema, "a list of roles such as ['web', 'db']", 'any'))

const namesSchema = z.array(z.string().min(1).max(255).refine(isOneLine))

/** Names of servers as in `servers`, or their labels. */
export const names = chosen(
  listKind(
    namesSchema,
    "a list of servers by label, host or user@host, such as ['a.example.com']",
    'none named',
  ),
)

function isNetwork(text: string): boolean {
  const [address = '', length, ...more] = text.split('/')
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address) as 0 | 4 | 6]
  return (
    bits > 0 &&
    more.length === 0 &&
    (length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= bits))
  )
}

const networksSchema = z.array(z.string().refine(isNetwork))

export const networks = listKind(
  networksSchema,
  "a list of addresses and networks such as ['192.0.2.7', '10.0.0.0/8']",
  'nothing',
)
