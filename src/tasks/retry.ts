import { contextOf } from '../deploy/context/context.ts'
import { withdraw } from '../deploy/context/ssh-pool.ts'
import { type LastRun, loadLastRun } from '../deploy/outcome/last-run.ts'
import { assertNewest } from '../deploy/releases/assert-newest.ts'
import { ExitCode, MurderError } from '../errors.ts'
import type { Shipit } from '../shipit.ts'
import { type Registration, task } from './task.ts'

/** `murder:retry`: deploys to the servers that failed in the last deploy, as the release that the others have. */
export const registerRetry: Registration = (shipit) => {
  task(shipit, 'murder:retry', async () => {
    if (await prepare(shipit)) shipit.start('deploy')
  })
}

/** Confines the run to the servers that failed. Whether there are any. */
async function prepare(shipit: Shipit): Promise<boolean> {
  const context = contextOf(shipit)
  const { fleet } = context
  const last: Partial<LastRun> = loadLastRun(shipit.environment) ?? {}
  const { published, failed = [], release = null, revision = null, alone } = last
  const servers = fleet.all.filter(({ label }) => failed.includes(label))
  if (servers.length === 0) {
    shipit.log('No server lacks the release of the last deploy')
    return false
  }
  if (alone) {
    throw new MurderError(
      'NOT_DEPLOYED',
      `${release} was published without a deploy that could be repeated`,
      {
        exitCode: ExitCode.usage,
        cure: `run npx shipit ${shipit.environment} murder:peer deploy:publish`,
      },
    )
  }
  const labels = servers.map(({ label }) => label)
  if (published && release !== null) {
    await assertNewest(context, release)
    shipit.log(`Deploying ${release} to ${labels.join(', ')}`)
    context.again = { release, revision }
  } else
    shipit.log(`The last deploy published nothing: all its servers are deployed to (${labels.join(', ')})`)
  withdraw(
    shipit,
    fleet.all.filter((server) => !servers.includes(server)),
  )
  fleet.confine(servers)
  context.record.confine(new Set(labels))
  return true
}
