import type { ServerPicture } from './picture.ts'

/** What went wrong on some servers in the same way. */
export interface SharedFailure {
  servers: string[]
  step: string
  cause: string
  cure?: string
}

/** The most frequent first. */
export function sharedFailures(servers: readonly ServerPicture[]): SharedFailure[] {
  const shared = new Map<string, SharedFailure>()
  for (const { server, failure } of servers) {
    if (!failure) continue
    const key = JSON.stringify(failure)
    const known = shared.get(key)
    if (known) known.servers.push(server)
    else shared.set(key, { ...failure, servers: [server] })
  }
  return [...shared.values()].sort((one, other) => other.servers.length - one.servers.length)
}
