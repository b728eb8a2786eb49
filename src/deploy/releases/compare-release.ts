import type { Failure } from '../../report/failures.ts'
import type { TaskContext } from '../context/context.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import { serverPaths } from '../paths/server-paths.ts'
import { intactScript, parseIntact } from '../scripts/releases/intact-script.ts'
import { whyNotIntact } from './choose/release-to-publish.ts'

export interface Compared {
  /** Servers that could not be asked. */
  failures: Failure[]
  /** Servers whose release is not as it was brought. */
  changed: Failure[]
}

/** Each server compares the release that `murder:peer` brought with the note made then. Changes nothing. */
export async function compareRelease(context: TaskContext, release: string): Promise<Compared> {
  const { fleet, settings, shipit, signal } = context
  const options = { signal, stallTimeoutS: settings.timeouts.stall, repeatable: true }
  const outcomes = await fleet.run(
    'check',
    (server) => ({ script: intactScript(serverPaths(context, server), release) }),
    options,
  )
  signal.throwIfAborted()
  const answers = outcomes.flatMap((outcome) =>
    outcome.ok ? [{ server: outcome.server.label, intact: parseIntact(outcome.stdout) }] : [],
  )
  const unnoted = answers.flatMap(({ server, intact }) => (intact.state === 'no-note' ? [server] : []))
  if (unnoted.length > 0)
    shipit.log(
      `releases/${release} cannot be compared, nothing notes what was brought: ${unnoted.join(', ')}`,
    )
  const changed = answers.flatMap(({ server, intact }): Failure[] => {
    const why = whyNotIntact(release, intact, shipit.environment)
    return why ? [{ server, step: 'check', ...why }] : []
  })
  return { failures: failuresOf(outcomes, 'check'), changed }
}
