import { mostCommon } from './choose/choose-release.ts'
import { classify, type HistoryEntry, type Release, type ServerReleases } from './history.ts'

/** The live release of one server, since when, and published by whom; null where the history does not tell. */
export interface LiveRelease {
  server: string
  live: string | null
  since: string | null
  who: string | null
  /** Whether most servers have another release live. */
  differs: boolean
  /** The directories in `releases`, the latest first. */
  releases: Pick<Release, 'name' | 'state'>[]
}

/** An event with the servers on which it has happened. */
export interface FleetEvent extends HistoryEntry {
  servers: string[]
}

/** The live release of each server. */
export function liveReleases(fleet: ReadonlyMap<string, ServerReleases>): LiveRelease[] {
  const most = mostCommon([...fleet.values()].flatMap(({ live }) => live ?? []))
  return [...fleet].map(([server, found]) => {
    const { live, history } = found
    // Nothing notes when somebody changes the link by hand.
    const last = history.findLast(({ event }) => event === 'live')
    const at = last?.release === live ? last : undefined
    const releases = classify(found).map(({ name, state }) => ({ name, state }))
    const [since, who] = [at?.when ?? null, at?.who ?? null]
    return { server, live: live ?? null, since, who, differs: live !== most, releases }
  })
}

/**
 * The histories of all servers as one, for people, ordered by the deploy hosts' clocks. A command that did the
 * same on several servers is one event.
 */
export function fleetEvents(fleet: ReadonlyMap<string, ServerReleases>): FleetEvent[] {
  const events = new Map<string, FleetEvent>()
  for (const [server, { history }] of fleet) {
    for (const entry of history) {
      const key = JSON.stringify([entry.when, entry.event, entry.release, entry.who])
      const known = events.get(key) ?? { ...entry, servers: [] }
      events.set(key, known)
      if (known.servers.at(-1) !== server) known.servers.push(server)
    }
  }
  return [...events.values()].sort((one, other) =>
    one.when < other.when ? -1 : Number(one.when > other.when),
  )
}
