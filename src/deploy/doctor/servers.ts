import { oneLine } from '../../text/format.ts'
import type { TaskContext } from '../context/context.ts'
import { shipitCommand } from '../context/shipit-command.ts'
import { type FleetFacts, sameAmong } from '../preflight/preflight.ts'
import { fullDiskCure } from '../preflight/space.ts'
import type { ServerFacts, Space } from '../scripts/facts-script.ts'
import { othersLock } from '../scripts/lock-script.ts'
import { parseValues } from '../scripts/values.ts'
import { lackOfRoom, type Problem } from './problem.ts'

/** File descriptors that a peer of a large fleet needs. */
const MIN_OPEN_FILES = 256

/** `output`: the answer of a server to the questions of a diagnosis. */
export function checkLimits(server: string, output: string): Problem[] {
  const files = Number(parseValues(output).get('files'))
  if (!(files < MIN_OPEN_FILES)) return []
  const cause = `a process there may open ${files} files`
  return [{ server, check: 'limits', cause, cure: 'raise it (ulimit -n, or limits.conf)' }]
}

export function checkLock(
  { shipit }: Pick<TaskContext, 'shipit'>,
  server: string,
  output: string,
): Problem[] {
  const lock = othersLock(output)
  if (!lock) return []
  const cause = oneLine(`locked by ${lock.who} since ${lock.when}: ${lock.what}`)
  const cure = `${lock.kind === 'deploy' ? 'wait until it is done' : 'ask them'}, or break it: ${shipitCommand(shipit.environment, 'murder:unlock')}`
  return [{ server, check: 'lock', cause, cure }]
}

/** Two entries of `servers` that are the same machine. */
export function checkDistinct(facts: FleetFacts): Problem[] {
  const same = sameAmong(facts)
  if (!same) return []
  return [{ server: same.server ?? '', check: 'servers', cause: same.message, cure: same.cure ?? '' }]
}

export function checkDisks(server: string, { temporary, releases }: ServerFacts): Problem[] {
  return [
    ...checkDisk(server, temporary, 'temporary files', fullDiskCure(true)),
    ...checkDisk(server, releases, 'releases', fullDiskCure(false)),
  ]
}

function checkDisk(server: string, { free, inodes }: Space, what: string, cure: string): Problem[] {
  const room = lackOfRoom(free, inodes)
  return room ? [{ server, check: 'disk', cause: `${room} for ${what}`, cure }] : []
}

/** Checks that the server knows the address of a deploy host that seeds, if that is the only way to reach it. */
export function checkAddress(
  { settings }: Pick<TaskContext, 'settings'>,
  server: string,
  { clientAddress }: ServerFacts,
): Problem[] {
  if (settings.announce !== undefined || settings.seeder !== 'local' || settings.reach !== 'direct') return []
  if (clientAddress !== undefined) return []
  const cause = 'it does not say from where it is reached'
  const cure = 'set murder.announce to the address of the deploy host, or murder.seeder to one of the servers'
  return [{ server, check: 'address', cause, cure }]
}
