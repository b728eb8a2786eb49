import type { Settings } from '../../config/schema.ts'
import type { MurderError } from '../../errors.ts'
import type { Outcome } from '../../fleet/command.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { Failure } from '../../report/failures.ts'
import { ownAddresses } from '../../system/addresses.ts'
import type { TaskContext } from '../context/context.ts'
import { assertNoFailures, failuresOf } from '../outcome/fleet-error.ts'
import { placesOf } from '../paths/places.ts'
import { ADDRESS_SCRIPT, parseAddresses, parseFacts, type ServerFacts } from '../scripts/facts-script.ts'
import { SCRIPT_TIMEOUT_S } from '../timeouts.ts'
import { ask } from './ask.ts'
import { provideNode } from './provide-node.ts'
import { withUsableAddresses } from './usable-addresses.ts'
import { faultOf, lacksNode, sameMachine } from './verdict.ts'

export type FleetFacts = ReadonlyMap<Server, ServerFacts>

/** The facts of all servers. Throws FLEET_FAILED when a deploy would fail on any of them. */
export async function check(
  context: TaskContext,
  asked: Promise<Outcome[]> = ask(context),
): Promise<FleetFacts> {
  const { facts, failures } = await inspect(context, asked)
  assertNoFailures(context, failures, 'nothing was changed')
  return facts
}

export interface Inspection {
  facts: FleetFacts
  failures: Failure[]
}

/** The facts of the servers that are fit for a deploy, and the faults of the others. Throws SAME_SERVER. */
export async function inspect(
  context: TaskContext,
  asked: Promise<Outcome[]> = ask(context),
  how: { readOnly?: boolean } = {},
): Promise<Inspection> {
  const inspection = await examine(context, asked, how)
  const same = sameAmong(inspection.facts)
  if (same) throw same
  return inspection
}

/** Why some of these servers cannot be in one deploy. */
export const sameAmong = (facts: FleetFacts): MurderError | undefined =>
  sameMachine([...facts].map(([{ label }, found]) => ({ label, facts: found })))

/** Like `inspect`, but does not compare the servers with each other. `readOnly`: brings Node to no server. */
export async function examine(
  context: TaskContext,
  asked: Promise<Outcome[]>,
  { readOnly = false }: { readOnly?: boolean } = {},
): Promise<Inspection> {
  const outcomes = await asked
  context.signal.throwIfAborted()
  const { node: shared } = context.settings
  const [fit, lacking] = [new Map<Server, ServerFacts>(), new Map<Server, ServerFacts>()]
  const failures: Failure[] = failuresOf(outcomes, 'check')
  for (const outcome of outcomes) {
    if (!outcome.ok) continue
    const found = parseFacts(outcome.stdout)
    const { node } = placesOf(context, outcome.server)
    const fault = faultOf(found, node)
    if (fault && isBrought(node) && lacksNode(fault)) lacking.set(outcome.server, found)
    else if (fault) {
      failures.push({ server: outcome.server.label, step: 'check', cause: fault.message, cure: fault.cure })
    } else fit.set(outcome.server, found)
  }
  if (isBrought(shared)) failures.push(...(await provideNode(context, { fit, lacking }, readOnly)))
  const facts = inOrder(fit, outcomes)
  for (const [server, { nodePath }] of facts) if (nodePath !== undefined) context.nodes.set(server, nodePath)
  await findAddresses(context, facts)
  const here = ownAddresses()
  for (const [server, found] of facts) facts.set(server, withUsableAddresses(found, here))
  return { facts, failures }
}

const isBrought = (node: Settings['node']): boolean => node === 'bring' || typeof node === 'object'

const inOrder = (facts: FleetFacts, outcomes: readonly Outcome[]): Map<Server, ServerFacts> =>
  new Map(
    outcomes.flatMap(({ server }) => {
      const found = facts.get(server)
      return found ? [[server, found] as const] : []
    }),
  )

/** sudo drops SSH_CONNECTION. With "asUser" it takes a second command, as the user who logs in. */
async function findAddresses(
  { fleet, signal }: Pick<TaskContext, 'fleet' | 'signal'>,
  facts: Map<Server, ServerFacts>,
): Promise<void> {
  const servers = [...facts.keys()].filter((server) => facts.get(server)?.clientAddress === undefined)
  if (servers.length === 0) return
  const options = { servers, signal, login: true, totalTimeoutS: SCRIPT_TIMEOUT_S }
  const outcomes = await fleet.run('check', () => ({ script: ADDRESS_SCRIPT }), options)
  for (const outcome of outcomes) {
    const found = facts.get(outcome.server)
    // A failure is harmless here: when an address is missing later, that error says what to set.
    if (outcome.ok && found) facts.set(outcome.server, { ...found, ...parseAddresses(outcome.stdout) })
  }
}
