import type { Server } from '../../fleet/ssh/server.ts'
import { nameSome, oneLine } from '../../text/format.ts'
import type { Unconfirmed } from '../scripts/guard/tell-guard-script.ts'

const SHOWN_SERVERS = 5

interface Note extends Unconfirmed {
  servers: string[]
  text: string
}

/** A line for each release that an earlier deploy has published without confirming it, and one more where its guard has ended. */
export function unconfirmedNotes(found: ReadonlyMap<Pick<Server, 'label'>, Unconfirmed>): Note[] {
  const notes = new Map<string, Omit<Note, 'text'>>()
  for (const [{ label }, each] of found) {
    const key = `${each.release} ${each.isLost}`
    const note = notes.get(key)
    // The time of each server is a little different.
    if (note) note.servers.push(label)
    else notes.set(key, { ...each, servers: [label] })
  }
  return [...notes.values()].map((note) => ({ ...note, text: oneLine(textOf(note)) }))
}

const textOf = ({ servers, release, by, isLost }: Omit<Note, 'text'>) =>
  `${nameSome(servers, SHOWN_SERVERS)}: ${release} of ${by} was not confirmed; ${
    isLost
      ? 'its guard has ended, with the machine perhaps, and nobody takes it back'
      : 'a guard takes it back once this run is over, unless this run publishes'
  }`
