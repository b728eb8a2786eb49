import { shipitCommand } from '../deploy/context/shipit-command.ts'
import { ExitCode, MurderError } from '../errors.ts'
import type { Shipit } from '../shipit.ts'

/**
 * Refuses a deploy and a rollback in one call: Shipit runs each task once, so the one that comes last would say that it is done and
 * publish nothing. Throws ONE_AT_A_TIME.
 */
export function refuseBoth({ seq = [], environment }: Pick<Shipit, 'seq' | 'environment'>): void {
  const [first, last] = seq.filter((name) => name === 'deploy:init' || name === 'rollback:init')
  if (first === undefined || last === undefined) return
  const taskOf = (name: string) => name.replace(':init', '')
  throw new MurderError(
    'ONE_AT_A_TIME',
    `${taskOf(first)} and ${taskOf(last)} cannot run in one call: both publish, and Shipit runs deploy:publish only once`,
    {
      exitCode: ExitCode.usage,
      cure: `nothing was changed; run ${[first, last].map((name) => shipitCommand(environment, taskOf(name))).join(' && ')}`,
    },
  )
}

/**
 * Refuses staging and publishing in one call, whichever comes first, because a later call publishes. Throws ONE_AT_A_TIME.
 */
export function refuseBesideStaging({ seq = [], environment }: Pick<Shipit, 'seq' | 'environment'>): void {
  if (!seq.includes('murder:stage')) return
  const other = seq.find((name) => /^(deploy|rollback)\b|^murder:(retry|resume)$/.test(name))
  if (other === undefined) return
  const last = other.replace(/:(init|fetch|update)$/, '')
  throw new MurderError('ONE_AT_A_TIME', `murder:stage and ${last} cannot run in one call`, {
    exitCode: ExitCode.usage,
    cure: `nothing was changed; run ${shipitCommand(environment, 'murder:stage')}, and later ${shipitCommand(environment, last)}`,
  })
}
