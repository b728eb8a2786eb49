import { entryOf } from '../../../config/entries/entry.ts'
import { ExitCode, MurderError } from '../../../errors.ts'
import type { Shipit } from '../../../shipit.ts'
import { nameSome } from '../../../text/format.ts'
import type { TaskContext } from '../context.ts'

/** Events of a deploy and of a rollback at which other plugins work on the servers. */
const EVENTS = ['deploy', 'fetched', 'updated', 'published', 'cleaned', 'deployed', 'rollback', 'rollbacked']
/** So many servers are named. */
const MAX_NAMES = 10
const ENVIRONMENTS_PATH = /\b(?:releasePath|releasesPath|currentPath|prevReleasePath)\b/

/**
 * A listener of another plugin is given one `releasePath` for all servers. Where entries have their own `deployTo`, the listener
 * would work in a directory that does not exist, after the release is live. Throws OWN_DEPLOY_TO where a listener reads that path
 * itself, and warns about other listeners. `own`: listeners that know about this.
 */
export function checkOwnDeployTo(
  { fleet, shipit }: Pick<TaskContext, 'fleet' | 'shipit'>,
  own: ReadonlySet<unknown>,
): void {
  const apart = fleet.all.filter(({ connection }) => entryOf(connection.remote).deployTo !== undefined)
  if (apart.length === 0) return
  const labels = nameSome(
    apart.map(({ label }) => label),
    MAX_NAMES,
  )
  const others = EVENTS.flatMap((event) =>
    listenersOf(shipit, event).flatMap((listener) => (own.has(listener) ? [] : [{ event, listener }])),
  )
  const [reader] = others.filter(({ listener }) => ENVIRONMENTS_PATH.test(String(listener)))
  if (reader) {
    throw new MurderError(
      'OWN_DEPLOY_TO',
      `${labels} ${apart.length === 1 ? 'has' : 'have'} a deployTo in servers, but a listener to ${reader.event} reads a path of shipit, which is the environment's`,
      {
        exitCode: ExitCode.usage,
        cure: "let it work in $PWD of shipit.murder.servers(), which is each server's current, or give the servers an environment of their own",
      },
    )
  }
  if (others.length === 0) return
  const events = [...new Set(others.map(({ event }) => event))].join(', ')
  shipit.log(`${labels}: a deployTo in servers is not known to listeners of other plugins (${events})`)
}

const listenersOf = (shipit: Shipit, event: string): unknown[] => shipit.listeners?.(event) ?? []
