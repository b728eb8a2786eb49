import { parseList } from './units.ts'

/** The number of an option. Throws when the option may not have it. */
export function parseNumber(
  option: string,
  text: string,
  least = 0,
  most = Number.POSITIVE_INFINITY,
): number {
  const number = text.trim() === '' ? Number.NaN : Number(text)
  if (number >= least && number <= most && number < Number.POSITIVE_INFINITY) return number
  const limits = most < Number.POSITIVE_INFINITY ? `from ${least} to ${most}` : `of at least ${least}`
  throw new Error(`${option} ${text}: must be a number ${limits}`)
}

export function parseCount(option: string, text: string, least = 1): number {
  const count = parseNumber(option, text, least)
  if (!Number.isInteger(count)) throw new Error(`${option} ${text}: must be a whole number`)
  return count
}

/** `4,8,15`: sizes of fleets. */
export function parseServers(text: string): number[] {
  const servers = parseList(text).map((count) => parseCount('--servers', count))
  if (servers.length === 0) throw new Error('--servers: name at least one number')
  return servers
}
