import { isIP } from 'node:net'
import { z } from 'zod'
import { isTag } from '../../protocol/tag.ts'
import { bytes, duration, oneLine, rate } from '../../text/format.ts'
import { isServer, isServerName } from '../servers.ts'

/**
 * A kind of value: how it is checked and worded, and its text in an environment variable and in a table. `fromText` never
 * throws: text that it can't read it returns as it is, and the schema then refuses that.
 */
export interface Kind<S extends z.ZodType = z.ZodType> {
  schema: S
  /** Completes the sentence "allowed: …". */
  allowed: string
  fromText: (text: string) => unknown
  /** For people. */
  show: (value: z.output<S>) => string
  /** The inverse of `fromText`. */
  toText: (value: z.input<S>) => string
  /** Its value is shown to nobody. */
  isSecret?: boolean
}

const sizes: Record<string, number> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }

/** `'1.5M'` → 1572864; NaN when it is not a number with an optional K, M or G. */
function sizeFromText(text: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([KMG])?$/i.exec(text.trim()) ?? []
  return digits === undefined ? Number.NaN : Math.round(Number(digits) * (sizes[unit.toUpperCase()] ?? 1))
}

const numberFromText = (text: string): unknown =>
  /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text.trim()) : text

/** A number of bytes that `accept` approves, as a number or as text. */
function sizeSchema(accept: (size: number) => boolean) {
  return z.union([z.number(), z.string()]).transform((value, context) => {
    const size = typeof value === 'number' ? value : sizeFromText(value)
    if (Number.isSafeInteger(size) && accept(size)) return size
    context.issues.push({ code: 'custom', input: value })
    return z.NEVER
  })
}

const asWritten = (text: string) => text
const trimmed = (text: string) => text.trim()
const commaSeparated = (text: string) => text.split(',').map(trimmed).filter(Boolean)

/** Text of one line. `fromText` is for the environment variable. */
const textKind = <S extends z.ZodType<string, string>>(
  schema: S,
  allowed: string,
  fromText: (text: string) => unknown,
): Kind<S> => ({ schema, allowed, fromText, show: oneLine, toText: asWritten })

const wholeNumberKind = (least: number, greatest: number): Kind<z.ZodInt> => ({
  schema: z.int().min(least).max(greatest),
  allowed: `a whole number from ${least} to ${greatest}`,
  fromText: numberFromText,
  show: String,
  toText: String,
})

const oneOfKind = <const W extends readonly [string, ...string[]]>(words: W) => {
  const schema = z.enum(words)
  return { schema, allowed: words.join(', '), fromText: trimmed, show: String, toText: String }
}

export const port = wholeNumberKind(1, 65_535)

const rangeSchema = z
  .union([z.tuple([z.number(), z.number()]), z.number(), z.string()])
  .transform((value, context): [number, number] => {
    const [first, last] = Array.isArray(value) ? value : rangeFromText(String(value))
    const valid = [first, last].every((edge) => Number.isInteger(edge) && edge >= 1 && edge <= 65_535)
    if ((valid && first <= last) || (first === 0 && last === 0)) return [first, last]
    context.issues.push({ code: 'custom', input: value })
    return z.NEVER
  })

function rangeFromText(text: string): [number, number] {
  const [, first, last = first] = /^\s*(\d+)(?:\s*-\s*(\d+))?\s*$/.exec(text) ?? []
  return [Number(first), Number(last)]
}

export const portRange: Kind<typeof rangeSchema> = {
  schema: rangeSchema,
  allowed: "first and last port, each 1 to 65535, as [6881, 6999] or '6881-6999'; 0 for any free port",
  fromText: asWritten,
  show: ([first, last]) => (last === 0 ? 'any free port' : `${first} to ${last}`),
  toText: (value) => (Array.isArray(value) ? value.join('-') : String(value)),
}

/** RFC 1123 names, and underscores because people have them. */
const hostName = /^(?=.{1,253}$)[a-z\d_]([a-z\d_-]{0,62})(\.[a-z\d_-]{1,63})*\.?$/i
export const host = textKind(
  z.string().refine((text) => isIP(text) !== 0 || hostName.test(text)),
  'a host name or an IP address, without a port',
  trimmed,
)

/** No line breaks, no NUL: neither survives a shell and a log in one piece. */
const isOneLine = (text: string) => !/[\n\r\0]/.test(text)

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

const pathSchema = z
  .string()
  .refine((text) => text.startsWith('/') && isOneLine(text))
  .transform((text) => text.replace(/(?<=.)\/+$/, ''))

export const path = textKind(pathSchema, 'an absolute path without line breaks', asWritten)

export const localPath = textKind(
  z.string().min(1).refine(isOneLine),
  'a path without line breaks; a relative one starts at the shipitfile’s directory',
  asWritten,
)

export const tag = textKind(
  z.string().refine(isTag),
  'letters, digits, ".", "_" and "-", beginning with a letter or a digit',
  trimmed,
)

/** A program that is on the servers. */
export const program = textKind(
  z.string().refine((text) => /^[^-\s]/.test(text) && isOneLine(text)),
  'the name or path of a program, without arguments and line breaks',
  asWritten,
)

const nodeSchema = z.union([program.schema, z.strictObject({ bring: localPath.schema })])

/** Node on the servers: where it is, or that it is brought. */
export const node: Kind<typeof nodeSchema> = {
  schema: nodeSchema,
  allowed:
    "the name or path of a program without arguments, 'bring', or { bring: 'path' } with a program on the deploy host (as a variable bring:path)",
  fromText: (text) => (text.startsWith('bring:') ? { bring: text.slice('bring:'.length) } : text),
  show: (value) =>
    value === 'bring'
      ? 'brought where there is none'
      : typeof value === 'string'
        ? oneLine(value)
        : `${oneLine(value.bring)}, brought where there is none`,
  toText: (value) => (typeof value === 'string' ? value : `bring:${value.bring}`),
}

export const seeder = textKind(
  z.string().min(1).refine(isOneLine),
  "'local', one of the servers, or another one such as deploy@s.example.com",
  trimmed,
)

/** A week: long enough for anything, and far below the longest timer of Node. */
const MAX_SECONDS = 604_800
const secondsSchema = z.number().min(0).max(MAX_SECONDS)

export const seconds: Kind<typeof secondsSchema> = {
  schema: secondsSchema,
  allowed: `a number of seconds from 0 to ${MAX_SECONDS}`,
  fromText: numberFromText,
  show: duration,
  toText: String,
}

/** A timeout, where 0 means that there is none. */
export const timeout: Kind<typeof secondsSchema> = {
  ...seconds,
  allowed: `${seconds.allowed}, 0 for no limit`,
  show: (value) => (value === 0 ? 'no limit' : duration(value)),
}

const limitSchema = sizeSchema((size) => size === 0 || size >= 1024)

export const limit: Kind<typeof limitSchema> = {
  schema: limitSchema,
  allowed:
    "bytes (not bits) a second, at least 1024, as a number or with K, M or G as in '10M'; 0 for no limit",
  fromText: asWritten,
  show: (value) => (value === 0 ? 'no limit' : rate(value)),
  toText: String,
}

const sizeOfSchema = sizeSchema((size) => size >= 0)

/** A number of bytes. */
export const size: Kind<typeof sizeOfSchema> = {
  schema: sizeOfSchema,
  allowed: "a number of bytes, or with K, M or G as in '500M'",
  fromText: asWritten,
  show: bytes,
  toText: String,
}

const pieceSchema = sizeSchema(
  (size) => size >= 16 * 1024 && size <= 16 * 1024 ** 2 && Number.isInteger(Math.log2(size)),
)

export const pieceLength: Kind<typeof pieceSchema> = {
  schema: pieceSchema,
  allowed: "a power of two from 16 KiB to 16 MiB, as a number of bytes or as in '256K'",
  fromText: asWritten,
  show: bytes,
  toText: String,
}

const serversSchema = z.array(z.string().refine(isServerName)).min(1)

export const servers: Kind<typeof serversSchema> = {
  schema: serversSchema,
  allowed: "a list of servers such as ['deploy@x.example.com', 'deploy@y.example.com:2222']",
  fromText: commaSeparated,
  show: (value) => value.map(oneLine).join(', '),
  toText: (value) => value.join(','),
}

export const isRole = (text: string): boolean => /^[\w.-]{1,64}$/.test(text)

const rolesSchema = z.array(z.string().refine(isRole))

export const roles: Kind<typeof rolesSchema> = {
  schema: rolesSchema,
  allowed: "a list of roles such as ['web', 'db']",
  fromText: commaSeparated,
  show: (value) => (value.length === 0 ? 'any' : value.join(', ')),
  toText: (value) => value.join(','),
}

const namesSchema = z.array(z.string().min(1).max(255).refine(isOneLine))

/** Names of servers as in `servers`, or their labels. */
export const names: Kind<typeof namesSchema> = {
  schema: namesSchema,
  allowed: "a list of servers by label, host or user@host, such as ['a.example.com']",
  fromText: commaSeparated,
  show: (value) => (value.length === 0 ? 'none named' : value.map(oneLine).join(', ')),
  toText: (value) => value.join(','),
}

export const compression = oneOfKind(['auto', 'gzip', 'zstd', 'none'])

export const reach = oneOfKind(['auto', 'direct', 'ssh'])

export const packageForm = oneOfKind(['file', 'directory'])

const patternsSchema = z.array(z.string().min(1).refine(isOneLine))

export const patterns: Kind<typeof patternsSchema> = {
  schema: patternsSchema,
  allowed: "a list of patterns such as ['*.log', '/tmp']",
  fromText: commaSeparated,
  show: (value) => (value.length === 0 ? 'nothing' : value.map(oneLine).join(', ')),
  toText: (value) => value.join(','),
}

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

export const networks: Kind<typeof networksSchema> = {
  ...patterns,
  schema: networksSchema,
  allowed: "a list of addresses and networks such as ['192.0.2.7', '10.0.0.0/8']",
}

/** A number of servers, or a share of the fleet. */
export type Share = number | `${number}%`

const shareSchema = (least: number) =>
  z.union([z.number(), z.string()]).transform((value, context): Share => {
    const text = String(value).trim()
    const [, digits, percent] = /^(\d+(?:\.\d+)?)(%)?$/.exec(text) ?? []
    const number = Number(digits)
    if (percent ? number <= 100 && (least === 0 || number > 0) : Number.isInteger(number) && number >= least)
      return percent ? `${number}%` : number
    context.issues.push({ code: 'custom', input: value })
    return z.NEVER
  })

const shareKind = (least: number): Kind<ReturnType<typeof shareSchema>> => ({
  schema: shareSchema(least),
  allowed: `a number of servers from ${least}, or a share of the fleet as in '10%'`,
  fromText: asWritten,
  show: String,
  toText: String,
})

/** How many servers may fail. */
export const tolerance = shareKind(0)

/** How many servers make a group. */
export const group = shareKind(1)

export const retries = wholeNumberKind(0, 100)

/** The user's own shell text, which runs as it is. */
export const shell = textKind(
  z.string().refine((text) => text.trim() !== '' && !text.includes('\0')),
  'a shell command',
  asWritten,
)

const shellSchema = shell.schema
const commandsSchema = z.union([
  shellSchema,
  z.record(z.string().refine(isRole), shellSchema).refine((byRole) => Object.keys(byRole).length > 0),
])

/** A command for all servers, or one for each role. */
export type Commands = z.output<typeof commandsSchema>

export const commands: Kind<typeof commandsSchema> = {
  schema: commandsSchema,
  allowed: "a shell command, or one for each role as in { web: 'a command', db: 'another' }",
  fromText: asWritten,
  show: (value) =>
    typeof value === 'string'
      ? oneLine(value)
      : Object.entries(value)
          .map(([role, command]) => `${role}: ${oneLine(command)}`)
          .join('; '),
  toText: (value) => (typeof value === 'string' ? value : Object.values(value).join('; ')),
}

const groupsSchema = z.union([z.enum(['role', 'site']), z.array(shareSchema(1)).min(1)])

/** How many are done after each group, of all that take part; or a group for each role, or for each site. */
export type Groups = z.output<typeof groupsSchema>

export const groups: Kind<typeof groupsSchema> = {
  schema: groupsSchema,
  allowed:
    "'role', 'site', or how many servers are done after each group, of which the last must be all, as in [1, '10%', '100%']",
  fromText: (text) => (/^\s*(role|site)\s*$/.test(text) ? text.trim() : commaSeparated(text)),
  show: (value) => (typeof value === 'string' ? `one for each ${value}` : value.join(', ')),
  toText: (value) => (typeof value === 'string' ? value : value.join(',')),
}

const pauseSchema = z.union([z.literal('ask'), secondsSchema])

/** Between two groups. */
export const pause: Kind<typeof pauseSchema> = {
  schema: pauseSchema,
  allowed: `${seconds.allowed}, or 'ask' to be asked on the terminal`,
  fromText: numberFromText,
  show: (value) => (value === 'ask' ? 'asks' : duration(value)),
  toText: String,
}

const webhookSchema = z.string().refine((text) => /^https?:\/\/\S+$/.test(text) && URL.canParse(text))

/** The path of a webhook is what lets one write there. */
export const webhook: Kind<typeof webhookSchema> = {
  schema: webhookSchema,
  allowed: 'an address that begins with https:// or http://',
  fromText: trimmed,
  show: (value) => `${new URL(value).origin}/***`,
  toText: asWritten,
  isSecret: true,
}

const OCCASIONS = ['started', 'published', 'failed', 'reverted', 'rolledBack'] as const
/** What others are told of. */
export type Occasion = (typeof OCCASIONS)[number]

const occasionsSchema = z.array(z.enum(OCCASIONS)).min(1)

export const occasions: Kind<typeof occasionsSchema> = {
  schema: occasionsSchema,
  allowed: `a list of ${OCCASIONS.join(', ')}`,
  fromText: commaSeparated,
  show: (value) => (new Set(value).size === OCCASIONS.length ? 'all of it' : value.join(', ')),
  toText: (value) => value.join(','),
}

export const concurrency = wholeNumberKind(1, 1000)

const words: Record<string, boolean> = {
  true: true,
  yes: true,
  on: true,
  1: true,
  false: false,
  no: false,
  off: false,
  0: false,
}
const flagSchema = z.boolean()

const revertSchema = z.union([flagSchema, z.literal('group')])

/** What goes back when a group fails. */
export const revert: Kind<typeof revertSchema> = {
  schema: revertSchema,
  allowed: "true for all that was published, 'group' for the group that failed alone, or false for nothing",
  fromText: (text) => words[text.trim().toLowerCase()] ?? text.trim(),
  show: (value) => (value === 'group' ? 'the group that failed' : value ? 'all' : 'nothing'),
  toText: String,
}

export const flag: Kind<typeof flagSchema> = {
  schema: flagSchema,
  allowed: 'true or false',
  fromText: (text) => words[text.trim().toLowerCase()] ?? text,
  show: (value) => (value ? 'yes' : 'no'),
  toText: String,
}
