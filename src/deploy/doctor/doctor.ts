import { MurderError } from '../../errors.ts'
import { columnsOf } from '../../report/output.ts'
import type { Context } from '../context/context.ts'
import { count, say } from '../outcome/say.ts'
import { askReadOnly } from '../preflight/ask.ts'
import { examine } from '../preflight/preflight.ts'
import { othersLock } from '../scripts/lock-script.ts'
import { checkDeployHost } from './deploy-host.ts'
import { probeNetwork } from './network.ts'
import type { Problem } from './problem.ts'
import { groupProblems, problemTable } from './problem-table.ts'
import { checkAddress, checkDisks, checkDistinct, checkLimits, checkLock } from './servers.ts'

/**
 * `murder:doctor`: everything that could stop a deploy, checked on every server and in the network between them. Changes
 * nothing. Throws UNFIT when there is anything.
 */
export async function doctor(context: Context): Promise<void> {
  const outcomes = await askReadOnly(context)
  const { facts, failures } = await examine(context, Promise.resolve(outcomes))
  const answers = outcomes.flatMap((outcome) =>
    outcome.ok ? [{ server: outcome.server.label, output: outcome.stdout }] : [],
  )
  const isBusy = answers.some(({ output }) => othersLock(output)?.kind === 'deploy')
  const problems: Problem[] = [
    ...checkDeployHost(),
    ...failures.map(({ server, cause, cure = 'see docs/troubleshooting.md' }) => ({
      server,
      check: 'server',
      cause,
      cure,
    })),
    ...answers.flatMap(({ server, output }) => [
      ...checkLimits(server, output),
      ...checkLock(context, server, output),
    ]),
    ...checkDistinct(facts),
    ...[...facts].flatMap(([{ label }, found]) => [
      ...checkDisks(label, found),
      ...checkAddress(context, label, found),
    ]),
    ...(await probeNetwork(context, facts, isBusy)),
  ]
  context.signal.throwIfAborted()
  const total = context.fleet.servers.length
  if (problems.length === 0) {
    const text = `${count(total, 'server')}: SSH, Node.js, directories, disks, locks and ports, with a BitTorrent handshake, are fit for a deploy`
    return say(context, text, 'doctor', { servers: total, problems })
  }
  const groups = groupProblems(problems)
  say(context, problemTable(groups, columnsOf(process.stdout)), 'doctor', { servers: total, problems })
  throw new MurderError('UNFIT', `${count(groups.length, 'thing')} could stop a deploy`, {
    cure: context.display.mode === 'json' ? 'see the event "doctor"' : 'each line above says what helps',
  })
}
