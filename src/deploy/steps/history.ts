import { columnsOf } from '../../report/output.ts'
import { fittedTable } from '../../text/fitted-table.ts'
import { nameSome, oneLine } from '../../text/format.ts'
import type { TaskContext } from '../context/context.ts'
import { assertNoFailures, failuresOf } from '../outcome/fleet-error.ts'
import { count, say } from '../outcome/say.ts'
import { deployToOf } from '../paths/places.ts'
import { type FleetEvent, fleetEvents, type LiveRelease, liveReleases } from '../releases/fleet-history.ts'
import { parseReleases, releasesScript } from '../scripts/releases/releases-script.ts'
import { SCRIPT_TIMEOUT_S } from '../timeouts.ts'

/** More events would fill the screen; JSON has all. */
const SHOWN_EVENTS = 30
const SHOWN_SERVERS = 3

/**
 * `murder:history`: which release is live on which server and since when, which servers differ, and what happened to the
 * releases. Reads only.
 */
export async function history(context: TaskContext): Promise<void> {
  const { fleet, shipit, signal } = context
  const options = { signal, totalTimeoutS: SCRIPT_TIMEOUT_S, repeatable: true }
  const ask = (server: (typeof fleet.servers)[number]) => ({
    script: releasesScript(deployToOf(shipit, server)),
  })
  const outcomes = await fleet.run('history', ask, options)
  signal.throwIfAborted()
  const failures = failuresOf(outcomes, 'history')
  const found = new Map([...parseReleases(outcomes)].map(([{ label }, releases]) => [label, releases]))
  const [live, events] = [liveReleases(found), fleetEvents(found)]
  if (found.size > 0) say(context, describe(live, events), 'history', { servers: live, events })
  assertNoFailures(context, failures, 'nothing is known of them')
}

const LIVE = [
  { title: 'server', nameAtLeast: 16 },
  { title: 'live', nameAtLeast: 14 },
  { title: 'since', dispensable: 1 },
  { title: 'by', nameAtLeast: 12, dispensable: 2 },
  { title: 'kept', dispensable: 3 },
]
const EVENTS = [
  { title: 'when', dispensable: 1 },
  { title: 'what' },
  { title: 'release', nameAtLeast: 14 },
  { title: 'servers', nameAtLeast: 16 },
  { title: 'by', nameAtLeast: 12, dispensable: 2 },
]

function describe(live: readonly LiveRelease[], events: readonly FleetEvent[]): string {
  const columns = columnsOf(process.stdout)
  const servers = live.map((each) =>
    [each.server, each.live ?? 'none', each.since ?? '?', each.who ?? '?', String(each.releases.length)].map(
      oneLine,
    ),
  )
  const rows = events
    .slice(-SHOWN_EVENTS)
    .map(({ when, event, release, who, servers: its }) =>
      [
        when,
        event,
        release,
        its.length === live.length && live.length > 1 ? `all ${live.length}` : nameSome(its, SHOWN_SERVERS),
        who,
      ].map(oneLine),
    )
  const most = live.find(({ differs }) => !differs)?.live ?? 'none'
  const apart = live.filter(({ differs }) => differs)
  const which = nameSome(
    apart.map(({ server }) => oneLine(server)),
    SHOWN_SERVERS,
  )
  const agreement =
    apart.length === 0
      ? 'All servers have the same release live.'
      : `${count(apart.length, 'server')} ${apart.length === 1 ? 'has' : 'have'} another release live than ${oneLine(most)}: ${which}`
  const more = events.length > rows.length ? `… and ${events.length - rows.length} before that\n` : ''
  const titles = (all: readonly { title: string }[]) => all.map(({ title }) => title)
  return [
    fittedTable([titles(LIVE), ...servers], LIVE, columns),
    agreement,
    ...(rows.length > 0 ? ['', more + fittedTable([titles(EVENTS), ...rows], EVENTS, columns)] : []),
  ].join('\n')
}
