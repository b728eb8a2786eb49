import type { MurderError } from '../errors.ts'
import type { Outcome } from '../remote/fleet.ts'
import type { Server } from '../remote/server.ts'
import { bytes } from '../report/format.ts'
import type { Failure } from '../report/index.ts'
import { halfMadeScript } from './clean-script.ts'
import type { Context } from './context.ts'
import { failuresOf, fleetError } from './fleet-error.ts'
import { lockStatusScript } from './lock-script.ts'
import { agentPath, releasesPath } from './paths.ts'
import { revertScript } from './publish.ts'
import {
  addressScript,
  factsScript,
  faultOf,
  fullDiskCure,
  missingSpace,
  parseAddresses,
  parseFacts,
  type ServerFacts,
  sameMachine,
} from './server-facts.ts'
import { releaseBytes, type Transfer } from './transfer.ts'

export type FleetFacts = ReadonlyMap<Server, ServerFacts>

/** Seconds that a server may take to answer a handful of questions. */
const PATIENCE = 60

/** Asks every server, in one command each, whether anything would fail later. */
export function ask(
  context: Context,
  servers: readonly Server[] = context.fleet.servers,
): Promise<Outcome[]> {
  const script = questions(context)
  return context.fleet.run('check', () => ({ script }), {
    servers,
    signal: context.signal,
    totalTimeout: PATIENCE,
    repeatable: true,
  })
}

/** The same, and each server that has an answer is locked in the same command. Throws LOCKED. */
export async function askAndLock(context: Context): Promise<Outcome[]> {
  const { again, lock, settings, shipit, signal } = context
  const { deployTo = '' } = shipit.config
  const halfMade = halfMadeScript({ temporaryPath: settings.temporaryPath, releases: releasesPath(deployTo) })
  // What is repeated may be there unpublished, where a server could not be reached any more to remove it.
  const left = again ? `(${revertScript(deployTo, { release: again.release, isNew: true }, undefined)})` : ''
  return lock.ask({ before: questions(context), after: `${halfMade}\n${left}` }, signal)
}

/** Asks without making anything, and also for what only a diagnosis needs: limits, and who has the lock. */
export function askReadOnly(context: Context): Promise<Outcome[]> {
  const { fleet, settings, signal } = context
  const limits = `say files "$(ulimit -n | sed 's/unlimited/999999999/')"`
  const script = [questions(context, true), limits, lockStatusScript(settings.remotePath)].join('\n')
  return fleet.run('check', () => ({ script }), { signal, totalTimeout: PATIENCE, repeatable: true })
}

function questions({ settings, shipit }: Context, readOnly = false): string {
  const { deployTo = '' } = shipit.config
  const { remotePath, temporaryPath, node } = settings
  return factsScript({ deployTo, remotePath, temporaryPath, node, agent: agentPath(settings) }, readOnly)
}

/** What the servers answered. Throws FLEET_FAILED, with a table, when a deploy would fail on any of them. */
export async function check(context: Context, asked: Promise<Outcome[]> = ask(context)): Promise<FleetFacts> {
  const { facts, failures } = await inspect(context, asked)
  if (failures.length > 0) throw fleetError(context, failures, 'nothing was changed')
  return facts
}

export interface Inspection {
  facts: FleetFacts
  failures: Failure[]
}

/** What the servers answered that can be deployed to, and why the others can't. Throws SAME_SERVER. */
export async function inspect(
  context: Context,
  asked: Promise<Outcome[]> = ask(context),
): Promise<Inspection> {
  const inspection = await examine(context, asked)
  const same = sameAmong(inspection.facts)
  if (same) throw same
  return inspection
}

/** Why some of these servers cannot be deployed to together. */
export const sameAmong = (facts: FleetFacts): MurderError | undefined =>
  sameMachine([...facts].map(([{ label }, found]) => ({ label, facts: found })))

/** The same as `inspect`, of each server by itself. */
export async function examine(context: Context, asked: Promise<Outcome[]>): Promise<Inspection> {
  const outcomes = await asked
  context.signal.throwIfAborted()
  const facts = new Map<Server, ServerFacts>()
  const failures: Failure[] = failuresOf(outcomes, 'check')
  for (const outcome of outcomes) {
    if (!outcome.ok) continue
    const found = parseFacts(outcome.stdout)
    const fault = faultOf(found, context.settings.node)
    if (fault) {
      failures.push({ server: outcome.server.label, step: 'check', cause: fault.message, cure: fault.cure })
    } else facts.set(outcome.server, found)
  }
  await findAddresses(context, facts)
  return { facts, failures }
}

/** sudo drops SSH_CONNECTION: where "asUser" is set it takes a second question, to the user who logs in. */
async function findAddresses({ fleet, signal }: Context, facts: Map<Server, ServerFacts>): Promise<void> {
  const servers = [...facts.keys()].filter((server) => facts.get(server)?.clientAddress === undefined)
  if (servers.length === 0) return
  const options = { servers, signal, login: true, totalTimeout: PATIENCE }
  const outcomes = await fleet.run('check', () => ({ script: addressScript }), options)
  for (const outcome of outcomes) {
    const found = facts.get(outcome.server)
    // A failure is no loss: without an address, and without the setting, the seeder says what to set.
    if (outcome.ok && found) facts.set(outcome.server, { ...found, ...parseAddresses(outcome.stdout) })
  }
}

/** The servers that package and release do not fit on. */
export function checkSpace(
  context: Context,
  facts: FleetFacts,
  { length, entries, directory }: Transfer,
): Failure[] {
  const failures: Failure[] = []
  const size = releaseBytes(entries)
  // Files that were fetched one by one get a second name in the release.
  const once = (found: ServerFacts) => directory && found.temporary.fileSystem === found.releases.fileSystem
  for (const server of context.fleet.servers) {
    const found = facts.get(server)
    if (!found || missingSpace(found, once(found) ? 0 : length, size) === 0) continue
    const free = Math.min(found.temporary.free, found.releases.free)
    failures.push({
      server: server.label,
      step: 'check',
      cause: `the disk is too full: the package takes ${bytes(length)} and the release ${bytes(size)}, ${bytes(free)} are free`,
      cure: fullDiskCure(size <= found.releases.free),
    })
  }
  return failures
}
