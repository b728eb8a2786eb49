import { hostname, userInfo } from 'node:os'
import type { Author } from '../scripts/releases/history-script.ts'

/** User and machine of this run, for locks and the history on the servers. Control characters in a name would break their lines. */
export function author(): Author {
  const who = `${userInfo().username}@${hostname()}`.replace(/\p{Cc}/gu, '?').slice(0, 200)
  return { who, when: new Date().toISOString() }
}
