import * as z from 'zod'
import { duration, oneLine } from '../../text/format.ts'
import { isRole } from './hosts.ts'
import { asWritten, commaSeparated, type Kind, textKind } from './kind.ts'
import { numberFromText, seconds } from './numbers.ts'
import { flag } from './words.ts'

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
  allowed:
    "a shell command, or one for each role as in { web: 'a command', db: 'another' } (as a variable the same in JSON)",
  fromText: commandsFromText,
  show: (value) =>
    typeof value === 'string'
      ? oneLine(value)
      : Object.entries(value)
          .map(([role, command]) => `${role}: ${oneLine(command)}`)
          .join('; '),
  toText: (value) => (typeof value === 'string' ? value : JSON.stringify(value)),
}

/** A command of a shell may begin with a brace, too, but it is no JSON then. */
function commandsFromText(text: string): unknown {
  if (!/^\s*\{/.test(text)) return text
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
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

const pauseSchema = z.union([z.literal('ask'), seconds.schema])

/** Between two groups. */
export const pause: Kind<typeof pauseSchema> = {
  schema: pauseSchema,
  allowed: `${seconds.allowed}, or 'ask' to be asked on the terminal`,
  fromText: numberFromText,
  show: (value) => (value === 'ask' ? 'asks' : duration(value)),
  toText: String,
}

const revertSchema = z.union([flag.schema, z.literal('group')])

/** What goes back when a group fails. */
export const revert: Kind<typeof revertSchema> = {
  schema: revertSchema,
  allowed: "true for all that was published, 'group' for the group that failed alone, or false for nothing",
  fromText: (text) => flag.fromText(text.trim()),
  show: (value) => (value === 'group' ? 'the group that failed' : value ? 'all' : 'nothing'),
  toText: String,
}
