import { contextOf } from '../deploy/context/context.ts'
import { withdraw } from '../deploy/context/servers/ssh-pool.ts'
import { shipitCommand } from '../deploy/context/shipit-command.ts'
import { type LastRun, loadLastRun } from '../deploy/outcome/last-run.ts'
import { assertNewest } from '../deploy/releases/choose/assert-newest.ts'
import { deliveredAs } from '../deploy/releases/delivered.ts'
import { ExitCode, MurderError } from '../errors.ts'
import type { Shipit } from '../shipit.ts'
import { type Registration, task } from './task.ts'

/** `murder:retry`: repeats the last deploy or rollback on the servers that failed, with the release that the others have. */
export const registerRetry: Registration = (shipit) => {
  task(shipit, 'murder:retry', async () => {
    const task = await prepare(shipit)
    if (task) shipit.start(task)
  })
}

/** Limits the run to the servers that failed, and returns the task to repeat; undefined when no server has failed. */
async function prepare(shipit: Shipit): Promise<'deploy' | 'rollback' | undefined> {
  const context = contextOf(shipit)
  const { fleet } = context
  const last: Partial<LastRun> = loadLastRun(shipit.environment) ?? {}
  const { published, failed = [], release = null, revision = null, kind } = last
  const servers = fleet.all.filter(({ label }) => failed.includes(label))
  if (servers.length === 0) {
    shipit.log('No server lacks the release of the last deploy')
    return undefined
  }
  if (kind === 'alone') {
    throw new MurderError(
      'NOT_DEPLOYED',
      `${release} was published without a deploy that could be repeated`,
      {
        exitCode: ExitCode.usage,
        cure: `run ${shipitCommand(shipit.environment, 'murder:peer deploy:publish')}`,
      },
    )
  }
  const labels = servers.map(({ label }) => label)
  const isRollback = kind === 'rollback'
  const others = fleet.all.filter((server) => !servers.includes(server))
  if (published && release !== null) {
    // Where a rollback has failed, the release that it leaves is still live.
    const holders = await assertNewest(context, release, isRollback ? others : fleet.all)
    shipit.log(
      `${isRollback ? 'Rolling back to' : 'Deploying'} ${release} ${isRollback ? 'on' : 'to'} ${labels.join(', ')}`,
    )
    const delivered = isRollback ? undefined : await deliveredAs(context, release, holders)
    context.again = { release, revision, delivered }
  } else {
    const done = isRollback ? 'rolled back' : 'deployed to'
    shipit.log(
      `The last ${isRollback ? 'rollback' : 'deploy'} published nothing: all its servers are ${done} (${labels.join(', ')})`,
    )
  }
  withdraw(shipit, others)
  fleet.confine(servers)
  context.record.confine(new Set(labels))
  context.picture.confine(new Set(labels))
  return isRollback ? 'rollback' : 'deploy'
}
