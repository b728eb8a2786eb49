import { createHmac } from 'node:crypto'

/** The markers of sshd(8), and then: names, type, key. */
const LINE = /^(?:(@\S+)\s+)?(\S+)\s+(\S+)\s+(\S+)/

/**
 * The host keys in a known_hosts file that count for a host, without its name: `type key`, or `@cert-authority type key`. Revoked
 * keys do not. `name` is as ssh writes it: `[host]:port` unless the port is 22.
 */
export function hostKeysIn(text: string, name: string): string[] {
  const found: string[] = []
  const revoked = new Set<string>()
  for (const line of text.split('\n')) {
    const [, marker, names = '', type = '', key = ''] = LINE.exec(line.trim()) ?? []
    if (names === '' || names.startsWith('#') || !isFor(names, name)) continue
    if (marker === '@revoked') revoked.add(`${type} ${key}`)
    else if (marker === '@cert-authority') found.push(`${marker} ${type} ${key}`)
    else if (marker === undefined) found.push(`${type} ${key}`)
  }
  return found.filter((line) => !revoked.has(line.replace(/^@\S+ /, '')))
}

/** Patterns separated by commas, where one with `!` excludes; or the hash of one name. */
function isFor(names: string, name: string): boolean {
  const [, salt, hash] = /^\|1\|([^|]+)\|([^|]+)$/.exec(names) ?? []
  if (salt !== undefined && hash !== undefined)
    return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash
  const patterns = names.toLowerCase().split(',')
  const matches = (pattern: string) => patternOf(pattern).test(name.toLowerCase())
  return (
    !patterns.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1))) &&
    patterns.some((pattern) => !pattern.startsWith('!') && matches(pattern))
  )
}

const patternOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/[\\^$.+()|[\]{}]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  )
