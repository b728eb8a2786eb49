import { readFileSync, statSync } from 'node:fs'
import { ExitCode, MurderError } from '../../errors.ts'
import type { Permit } from '../../torrent/access/tracker-gate.ts'
import type { ContentJob, TrackerJob } from '../runs/job.ts'

/** A tracker's permits, looked up anew for each request; undefined for a tracker that is open to all. */
export function permitsOf({ permits, secret, only }: TrackerJob): (() => readonly Permit[]) | undefined {
  if (permits !== undefined) return permitsIn(permits)
  if (secret === undefined) return undefined
  const fixed: Permit[] = only ? only.map(({ infoHash }) => ({ secret, infoHash })) : [{ secret }]
  return () => fixed
}

/** Addresses of the fleet, looked up anew whenever they are asked for; undefined when they are not known. */
export function hostsOf({ permits, hosts, torrent }: ContentJob): () => readonly string[] | undefined {
  if (permits === undefined) return () => hosts
  const current = permitsIn(permits)
  const { infoHash } = torrent.metainfo
  return () => current().find((permit) => permit.infoHash?.toLowerCase() === infoHash)?.addresses
}

/** The file is read again when it has changed. While it is gone or half written, the last permits stay in force. */
function permitsIn(file: string): () => readonly Permit[] {
  let seen = ''
  let permits = read(file)
  return () => {
    const stat = statSync(file, { throwIfNoEntry: false })
    const look = `${stat?.mtimeMs} ${stat?.ino} ${stat?.size}`
    if (stat && look !== seen) {
      try {
        permits = read(file)
        seen = look
      } catch {
        // Replaced just now: the next request reads it.
      }
    }
    return permits
  }
}

function read(file: string): Permit[] {
  const permits = JSON.parse(readFileSync(file, 'utf8')) as Permit[]
  if (Array.isArray(permits) && permits.every((permit) => typeof permit === 'object')) return permits
  throw new MurderError('USAGE', `${file} is no list of permits`, { exitCode: ExitCode.usage })
}
