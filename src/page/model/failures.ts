import { type FailureGroup, groupFailures } from '../../report/failure-groups.ts'
import type { ServerPicture } from './picture.ts'

/** What went wrong on some servers in the same way: the most frequent first. */
export function sharedFailures(servers: readonly ServerPicture[]): FailureGroup[] {
  const failures = servers.flatMap(({ server, failure }) => (failure ? [{ server, ...failure }] : []))
  return groupFailures(failures).sort((one, other) => other.servers.length - one.servers.length)
}
