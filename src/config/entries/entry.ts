import * as z from 'zod'
import { isSiteName } from '../../protocol/site-name.ts'
import { isRole } from '../kinds/hosts.ts'
import { deployTo, program } from '../kinds/paths.ts'
import { found } from '../problems.ts'
import { findServers, isLabel, partsOf, serverNames } from '../servers.ts'
import { suggest } from '../suggest.ts'

/** What an entry of shipit's `servers` says besides how to reach the server. An entry that is plain text says none of this. */
export interface Entry {
  /** Its name in output, in place of `user@host:port`. */
  label?: string | undefined
  roles: string[]
  site?: string | undefined
  deployTo?: string | undefined
  node?: string | undefined
  /** Environment variables of commands that run there for the user. */
  env: Record<string, string>
}

const isValue = (text: string) => !text.includes('\0')

const fields = {
  label: z.string().refine(isLabel).optional(),
  roles: z
    .union([z.string(), z.array(z.string())])
    .transform((roles) => (Array.isArray(roles) ? roles : [roles]))
    .refine((roles) => roles.every(isRole))
    .default([]),
  site: z.string().refine(isSiteName).optional(),
  deployTo: deployTo.schema.optional(),
  node: program.schema.optional(),
  env: z
    .record(
      z.string().regex(/^(?!MURDER_)[A-Za-z_]\w*$/),
      z.union([z.string(), z.number(), z.boolean()]).transform(String).refine(isValue),
    )
    .default({}),
}

const ALLOWED: Record<keyof typeof fields, string> = {
  label: 'a name without blanks, of at most 100 characters',
  roles: "names of letters, digits, '.', '_' and '-', as in ['web', 'db']",
  site: "a name of letters, digits, '.', '_' and '-'",
  deployTo: deployTo.allowed,
  node: program.allowed,
  env: "names of variables that do not begin with MURDER_ with their values, as in { PORT: '8080' }",
}

const NAMES = Object.keys(fields) as (keyof typeof fields)[]
/** What ssh-pool reads of an entry. */
const OF_SSH_POOL = ['host', 'user', 'port', 'extraSshOptions']

const schema = z.object(fields)
const none: Entry = { roles: [], env: {} }

/** The fields of an entry that has no problems. */
export function entryOf(server: unknown): Entry {
  if (typeof server !== 'object' || server === null) return none
  const read = schema.safeParse(server)
  return read.success ? read.data : none
}

/** One line for each entry that says of no server which one it is. Shipit fails by them before it runs any task. */
export const hostProblems = (servers: readonly unknown[]): string[] =>
  servers.flatMap((server, index) => {
    if (typeof server === 'string' ? server !== '' : partsOf(server)?.host) return []
    return [
      `servers[${index}] is ${hostless(server)}: allowed: 'user@host', or an object with a host as in { host: 'a.example.com' }`,
    ]
  })

/** An object may have secrets among its values. */
const hostless = (server: unknown) =>
  typeof server === 'object' && server !== null && !Array.isArray(server)
    ? `an object with ${Object.keys(server).map(found).join(', ') || 'nothing'}`
    : found(server)

/** One line for each thing that is wrong with the entries. */
export function entryProblems(servers: readonly unknown[]): string[] {
  const names = serverNames(servers)
  const wrong = servers.flatMap((server, index) =>
    typeof server === 'object' && server !== null
      ? problemsIn(server as Record<string, unknown>, `servers[${index}]`, String(names[index]))
      : [],
  )
  return wrong.length > 0 ? wrong : sameNames(servers)
}

function problemsIn(server: Record<string, unknown>, where: string, name: string): string[] {
  const unlike = Object.keys(server).flatMap((key) => {
    if ([...NAMES, ...OF_SSH_POOL].includes(key)) return []
    const meant = misspelt(key)
    // Other keys may be the user's own.
    return meant === undefined
      ? []
      : [`${where}.${key} (${name}, found ${found(server[key])}) is no field: did you mean ${meant}?`]
  })
  const values = NAMES.flatMap((key) =>
    fields[key].safeParse(server[key]).success
      ? []
      : [`${where}.${key} (${name}) is ${shown(key, server[key])}: allowed: ${ALLOWED[key]}`],
  )
  return [...unlike, ...values]
}

/** Values of variables may be secrets. */
const shown = (key: string, value: unknown) =>
  key === 'env' && typeof value === 'object' && value !== null
    ? `an object with ${Object.keys(value).map(found).join(', ') || 'nothing'}`
    : found(value)

const letters = (text: string) => [...text.toLowerCase()].sort().join('')

function misspelt(key: string): string | undefined {
  const meant = suggest(key, NAMES)
  if (meant === undefined) return undefined
  const isNear = letters(meant) === letters(key) || meant.startsWith(key) || key.startsWith(meant)
  return isNear && key.length > 2 ? meant : undefined
}

/** Entries with the same name, one line for each name: output and settings could not tell them apart. */
function sameNames(servers: readonly unknown[]): string[] {
  const labels = new Set(servers.flatMap((server) => entryOf(server).label ?? []))
  return [...labels].flatMap((label) => {
    const its = findServers(label, servers).map((at) => `servers[${at}]`)
    if (its.length < 2) return []
    const all = its.length === 2 ? 'both' : 'all'
    return [`${its.join(' and ')} are ${all} called ${found(label)}: give each of them a label of its own`]
  })
}
