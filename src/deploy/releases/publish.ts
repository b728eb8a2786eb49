import type { Server } from '../../fleet/ssh/server.ts'
import type { Failure } from '../../report/failures.ts'
import { author } from '../context/author.ts'
import type { Context } from '../context/context.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import { deployToOf } from '../paths/places.ts'
import {
  type Guarding,
  type Publication,
  publishScript,
  revertScript,
} from '../scripts/releases/publish-script.ts'
import { SCRIPT_TIMEOUT_S } from '../timeouts.ts'

/** What guards a change on each server, and hears what their output says of that. */
export interface Guards {
  scripts(server: Server): Guarding
  heard(server: Server, line: string): void
  readonly goingBackS: number
}

/** What `current` pointed to before; an empty text where there was none. Servers that were asked, in that order. */
export type Links = Map<Server, string>

/** Makes `current` point to the release on these servers. Returns the failures. */
export async function publishOn(
  context: Pick<Context, 'fleet' | 'lock' | 'picture' | 'record' | 'shipit'>,
  servers: readonly Server[],
  publication: Publication,
  links: Links,
  guards: Guards,
): Promise<Failure[]> {
  const { fleet, shipit, lock, record, picture } = context
  const noted = author()
  for (const { label } of servers) picture.enter(label, 'publish')
  const outcomes = await fleet.run(
    'publish',
    (server) => ({
      script: publishScript(
        deployToOf(shipit, server),
        publication,
        noted,
        lock.fence(server),
        guards.scripts(server),
      ),
      onLine: (line) => {
        guards.heard(server, line)
        // When the connection breaks the command runs again: what was there before is what the first one has found.
        if (line.startsWith('was=') && !links.has(server)) links.set(server, line.slice(4))
      },
    }),
    // Ctrl-C waits for this: a script that has begun would go on and publish after everything was taken back.
    { servers, totalTimeoutS: SCRIPT_TIMEOUT_S, repeatable: true },
  )
  for (const { ok, server } of outcomes) if (ok) record.published(server.label, true)
  return failuresOf(outcomes, 'publish')
}

/** Restores the earlier `current` on servers that have published, or failed to. Returns the failures. */
export async function revertOn(
  { fleet, lock, shipit, record, picture }: Pick<Context, 'fleet' | 'lock' | 'picture' | 'record' | 'shipit'>,
  servers: readonly Server[],
  publication: Publication,
  links: Links,
  guards: Guards,
): Promise<Failure[]> {
  const noted = author()
  const outcomes = await fleet.run(
    'revert',
    (server) => ({
      script: revertScript(
        deployToOf(shipit, server),
        publication,
        links.get(server),
        noted,
        lock.fence(server),
        guards.scripts(server),
      ),
      onLine: (line) => guards.heard(server, line),
    }),
    { servers, totalTimeoutS: SCRIPT_TIMEOUT_S + guards.goingBackS, repeatable: true },
  )
  for (const { ok, server } of outcomes) {
    if (!ok) continue
    record.published(server.label, false)
    picture.enter(server.label, 'ready')
  }
  return failuresOf(outcomes, 'revert')
}
