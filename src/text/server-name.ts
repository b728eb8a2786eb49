import { isIPv6 } from 'node:net'

export interface ServerName {
  user: string | undefined
  host: string
  port: string | undefined
}

/** Reads `user@host:port`, with user and port optional. An IPv6 address needs brackets only where a port follows it. */
export function parseServerName(text: string): ServerName | undefined {
  const [, user, place = ''] = /^(?:([^@:]+)@)?(.+)$/.exec(text) ?? []
  if (isIPv6(place)) return { user, host: place, port: undefined }
  const [, address = '', itsPort] = /^\[(.+)\](?::(.+))?$/.exec(place) ?? []
  if (isIPv6(address)) return { user, host: address, port: itsPort }
  const [, host, port] = /^([^@:]+)(?::(.+))?$/.exec(place) ?? []
  return host === undefined ? undefined : { user, host, port }
}

/** The reverse of `parseServerName`, always with brackets around an IPv6 address. */
export function formatServerName(user: string, host: string, port?: number | string): string {
  return `${user}@${isIPv6(host) ? `[${host}]` : host}${port === undefined ? '' : `:${port}`}`
}
