import { MurderError } from '../../errors.ts'
import { columnsOf } from '../../report/output.ts'
import type { TaskContext } from '../context/context.ts'
import { count, say } from '../outcome/say.ts'
import { askReadOnly } from '../preflight/ask.ts'
import { examine } from '../preflight/preflight.ts'
import { othersLock } from '../scripts/lock-script.ts'
import { checkDeployHost } from './deploy-host.ts'
import { probeNetwork } from './network.ts'
import { unusualNodes, withNode } from './nodes.ts'
import type { Problem } from './problem.ts'
import { groupProblems, problemTable } from './problem-table.ts'
import { checkAddress, checkDisks, checkDistinct, checkLimits, checkLock } from './servers.ts'
import { whoIsWhere } from './sites.ts'
import { waysTable } from './ways-between.ts'

/**
 * `murder:doctor`: everything that could stop a deploy, checked on every server and in the network between them. Changes
 * nothing. Throws UNFIT when it finds anything that a deploy does not get around.
 */
export async function doctor(context: TaskContext): Promise<void> {
  const outcomes = await askReadOnly(context)
  const { facts, failures } = await examine(context, Promise.resolve(outcomes), { readOnly: true })
  const answers = outcomes.flatMap((outcome) =>
    outcome.ok ? [{ server: outcome.server.label, output: outcome.stdout }] : [],
  )
  const isBusy = answers.some(({ output }) => othersLock(output)?.kind === 'deploy')
  const network = await probeNetwork(context, withNode(facts), isBusy)
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
    ...network.problems,
  ]
  context.signal.throwIfAborted()
  const total = context.fleet.servers.length
  const nodes = [...facts].map(([{ label }, { node, nodePath }]) => ({ server: label, node, nodePath }))
  const notes = [
    ...unusualNodes(context, facts),
    ...whoIsWhere(context),
    ...waysTable(network.ways, context.settings.between !== 'direct'),
  ]
  const groups = groupProblems(problems.filter(({ bypassed }) => !bypassed))
  const around = groupProblems(problems.filter(({ bypassed }) => bypassed))
  const all = [...groups, ...around]
  const table = all.length === 0 ? [] : [problemTable(all, columnsOf(process.stdout))]
  const fit = groups.length === 0 ? [fitLine(total, around.length > 0)] : []
  say(context, [...fit, ...table, ...notes].join('\n'), 'doctor', {
    servers: total,
    problems,
    nodes,
    between: network.ways,
  })
  if (groups.length === 0) return
  throw new MurderError('UNFIT', `${count(groups.length, 'thing')} could stop a deploy or slow it down`, {
    cure: context.display.mode === 'json' ? 'see the event "doctor"' : 'each line above says what helps',
  })
}

/** `isAround`: ports are closed. */
const fitLine = (servers: number, isAround: boolean): string =>
  isAround
    ? `${count(servers, 'server')}: fit for a deploy. Ports are closed, and it gets around them:`
    : `${count(servers, 'server')}: SSH, Node.js, directories, disks, locks and ports, with a BitTorrent handshake, are fit for a deploy`
