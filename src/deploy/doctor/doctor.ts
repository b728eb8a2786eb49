import { statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { explain, MurderError } from '../../errors.ts'
import { bytes, oneLine } from '../../text/format.ts'
import { agent } from '../context/agent-program.ts'
import type { Context } from '../context/context.ts'
import { say } from '../outcome/say.ts'
import { askReadOnly } from '../preflight/ask.ts'
import { examine, type FleetFacts, sameAmong } from '../preflight/preflight.ts'
import { fullDiskCure } from '../preflight/space.ts'
import { othersLock } from '../scripts/lock-script.ts'
import { parseValues } from '../scripts/values.ts'
import { probeNetwork } from './network.ts'
import { type Problem, problemTable } from './problem.ts'

/** Bytes below which a disk counts as full. */
const LEAST_FREE = 64 << 20
/** File descriptors that a peer of a large fleet needs. */
const LEAST_FILES = 256

/**
 * `murder:doctor`: everything that could stop a deploy, checked on every server and in the network between them. Changes
 * nothing. Throws UNFIT when there is anything.
 */
export async function doctor(context: Context): Promise<void> {
  const outcomes = await askReadOnly(context)
  const { facts, failures } = await examine(context, Promise.resolve(outcomes))
  const isBusy = outcomes.some((outcome) => outcome.ok && othersLock(outcome.stdout)?.kind === 'deploy')
  const problems: Problem[] = [
    ...checkDeployHost(),
    ...failures.map(({ server, cause, cure = 'see docs/troubleshooting.md' }) => ({
      ...{ server, check: 'server', cause, cure },
    })),
    ...outcomes.flatMap((outcome) =>
      outcome.ok ? checkServer(context, outcome.server.label, outcome.stdout) : [],
    ),
    ...checkSame(facts),
    ...checkFacts(context, facts),
    ...(await probeNetwork(context, facts, isBusy)),
  ]
  context.signal.throwIfAborted()
  const total = context.fleet.servers.length
  if (problems.length === 0) {
    const text = `${total} servers: SSH, Node.js, directories, disks, locks and ports are all fit for a deploy`
    return say(context, text, 'doctor', { servers: total, problems })
  }
  say(context, problemTable(problems), 'doctor', { servers: total, problems })
  const count = problems.length
  throw new MurderError('UNFIT', `${count} ${count === 1 ? 'thing' : 'things'} could stop a deploy`, {
    cure: context.display.mode === 'json' ? 'see the event "doctor"' : 'each line above says what helps',
  })
}

function checkDeployHost(): Problem[] {
  const problems: Problem[] = []
  const server = 'the deploy host'
  try {
    agent()
  } catch (error) {
    problems.push({ server, check: 'agent', cause: explain(error), cure: 'install shipit-murder again' })
  }
  const { bavail, bsize } = statfsSync(tmpdir())
  if (bavail * bsize < LEAST_FREE) {
    problems.push({
      ...{ server, check: 'disk', cause: `${bytes(bavail * bsize)} are free in ${tmpdir()}` },
      cure: 'free space there, or set TMPDIR to another directory',
    })
  }
  return problems
}

function checkServer({ shipit }: Context, server: string, output: string): Problem[] {
  const problems: Problem[] = []
  const values = parseValues(output)
  const files = Number(values.get('files'))
  if (files < LEAST_FILES) {
    problems.push({
      ...{ server, check: 'limits', cause: `a process there may open ${files} files` },
      cure: 'raise it (ulimit -n, or limits.conf)',
    })
  }
  const lock = othersLock(output)
  if (lock) {
    problems.push({
      ...{ server, check: 'lock', cause: oneLine(`locked by ${lock.who} since ${lock.when}: ${lock.what}`) },
      cure: `${lock.kind === 'deploy' ? 'wait until it is done' : 'ask them'}, or break it: npx shipit ${shipit.environment} murder:unlock`,
    })
  }
  return problems
}

function checkSame(facts: FleetFacts): Problem[] {
  const same = sameAmong(facts)
  if (!same) return []
  return [{ server: same.server ?? '', check: 'servers', cause: same.message, cure: same.cure ?? '' }]
}

function checkFacts({ settings }: Context, facts: FleetFacts): Problem[] {
  return [...facts].flatMap(([{ label: server }, found]): Problem[] => {
    const problems: Problem[] = []
    for (const [what, { free }] of Object.entries({ temporary: found.temporary, releases: found.releases })) {
      if (free >= LEAST_FREE) continue
      const cause = `${bytes(free)} are free for ${what === 'temporary' ? 'temporary files' : 'releases'}`
      const cure = fullDiskCure(what === 'temporary')
      problems.push({ server, check: 'disk', cause, cure })
    }
    if (found.clientAddress === undefined && settings.announce === undefined && settings.seeder === 'local') {
      problems.push({
        ...{ server, check: 'address', cause: 'it does not say from where it is reached' },
        cure: 'set murder.announce to the address of the deploy host',
      })
    }
    return problems
  })
}
