import { hostname, userInfo } from 'node:os'
import type { Author } from '../scripts/releases/history-script.ts'

/** Who works here and now, for locks and the history on the servers. A name with control characters would break their lines. */
export function author(): Author {
  const who = `${userInfo().username}@${hostname()}`.replace(/\p{Cc}/gu, '?').slice(0, 200)
  return { who, when: new Date().toISOString() }
}
