import { ExitCode, MurderError } from '../../errors.ts'
import type { Context, TaskContext } from '../context/context.ts'
import { shipitCommand } from '../context/shipit-command.ts'
import { say } from '../outcome/say.ts'
import { assertNewest } from '../releases/choose/assert-newest.ts'
import { preparePublishing } from '../releases/prepare-publishing.ts'
import { groupsLeft, nameGroup } from './plan.ts'
import { loadRollout, type RolloutState } from './state.ts'

/** The rollout that has begun and is not done. Throws NOTHING_TO_RESUME. */
export function rolloutToResume({ shipit }: Pick<TaskContext, 'shipit'>): RolloutState {
  const state = loadRollout(shipit.environment)
  if (state && state.done < state.groups.length) return state
  throw new MurderError('NOTHING_TO_RESUME', 'There is no rollout with groups that are left', {
    exitCode: ExitCode.usage,
    cure: `deploy: ${shipitCommand(shipit.environment, 'deploy')}`,
  })
}

const linesOf = (state: RolloutState) =>
  groupsLeft(state).map((group) => `  ${nameGroup(group)}: ${group.servers.join(', ')}`)

/** Says which groups would be published. */
export function tryResume(context: Pick<TaskContext, 'display' | 'shipit'>): void {
  const state = rolloutToResume(context)
  say(context, [`Dry run: current would point to ${state.release}, on`, ...linesOf(state)].join('\n'))
}

/**
 * Locks the servers. Checks that the release is still the newest, and whole where it is not published yet. From then on,
 * publishing covers only the remaining groups. Throws FLEET_FAILED, LOCKED, NOT_NEWEST, NOTHING_TO_RESUME or OTHER_SERVERS.
 */
export async function prepareResume(context: Context): Promise<void> {
  const { fleet, record, shipit } = context
  const state = rolloutToResume(context)
  const known = new Set(fleet.all.map(({ label }) => label))
  const missing = state.groups
    .slice(state.done)
    .flatMap(({ servers }) => servers.filter((each) => !known.has(each)))
  if (missing.length > 0) {
    throw new MurderError(
      'OTHER_SERVERS',
      `${missing.join(', ')} of the rollout ${missing.length === 1 ? 'is' : 'are'} not among the servers of this run`,
      {
        exitCode: ExitCode.usage,
        cure: 'run it with the same shipitfile and choice of servers as the rollout',
      },
    )
  }
  await preparePublishing(context, { release: state.release, by: 'shipitfile' })
  const done = new Set(state.groups.slice(0, state.done).flatMap(({ servers }) => servers))
  const published = fleet.servers.filter(({ label }) => done.has(label))
  // Servers that a rollback has not reached yet still have the release that it leaves.
  await assertNewest(context, state.release, state.isRollback ? published : fleet.servers)
  for (const { label } of published) record.published(label, true)
  context.resumed = state
  shipit.log(['Going on with', ...linesOf(state)].join('\n'))
}
