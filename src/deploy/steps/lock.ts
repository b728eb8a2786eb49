import type { Outcome } from '../../fleet/command.ts'
import { columnsOf } from '../../report/output.ts'
import { fittedTable } from '../../text/fitted-table.ts'
import { duration, oneLine } from '../../text/format.ts'
import type { TaskContext } from '../context/context.ts'
import { type NamedLock, namedLocks } from '../context/lock/found-locks.ts'
import { newOwner } from '../context/lock/lock-owner.ts'
import { assertNoFailures, failuresOf } from '../outcome/fleet-error.ts'
import { count, say } from '../outcome/say.ts'
import { placesOf } from '../paths/places.ts'
import { breakLockScript, lockStatusScript, parseDrained, takeLockScript } from '../scripts/lock-script.ts'

/** How long a server may take to answer. */
const ANSWER_TIMEOUT_S = 60

/** `murder:lock`: keeps deploys and rollbacks from beginning until murder:unlock. MURDER_LOCK_REASON says why. */
export async function lock(context: TaskContext): Promise<void> {
  const owner = newOwner('manual', process.env.MURDER_LOCK_REASON || 'no reason given')
  const others = await onAll(context, (remotePath) => takeLockScript(remotePath, owner))
  const total = context.fleet.all.length
  const taken = total - others.length
  const text = taken > 0 ? [`Locked ${taken} of ${count(total, 'server')}: ${oneLine(owner.what)}`] : []
  if (others.length > 0)
    text.push(
      `${count(others.length, 'server')} ${others.length === 1 ? 'was' : 'were'} locked already:`,
      locksTable(others),
    )
  say(context, text.join('\n'), 'locked', { owner, servers: taken, others: others.map(asEvent) })
}

/**
 * `murder:unlock`: removes every lock, even that of a running deploy. That deploy then publishes nothing where another one has
 * the lock.
 */
export async function unlock(context: TaskContext): Promise<void> {
  const found = await onAll(context, breakLockScript)
  tell(context, found, { none: 'Nothing was locked', some: 'Unlocked', event: 'unlocked' })
}

/** `murder:lock:status`: also lists servers that a killed deploy has left out of service. */
export async function lockStatus(context: TaskContext): Promise<void> {
  const outcomes = await askAll(context, lockStatusScript)
  tell(context, namedLocks(outcomes), { none: 'Nothing is locked', some: 'Locked', event: 'locks' })
  for (const outcome of outcomes) {
    const about = outcome.ok ? parseDrained(outcome.stdout) : undefined
    if (about === undefined) continue
    const { label: server } = outcome.server
    say(context, `${server} was left out of service by ${oneLine(about)}`, 'drained', {
      servers: [server],
      about,
    })
  }
}

/** Runs a script on all servers and returns the locks that it prints. */
const onAll = async (context: TaskContext, script: (remotePath: string) => string): Promise<NamedLock[]> =>
  namedLocks(await askAll(context, script))

async function askAll(context: TaskContext, script: (remotePath: string) => string): Promise<Outcome[]> {
  const { fleet, signal } = context
  const options = { servers: fleet.all, signal, totalTimeoutS: ANSWER_TIMEOUT_S }
  const outcomes = await fleet.run(
    'lock',
    (server) => ({ script: script(placesOf(context, server).remotePath) }),
    options,
  )
  signal.throwIfAborted()
  const failures = failuresOf(outcomes, 'lock')
  assertNoFailures(context, failures, { one: 'has answered', several: 'have answered' })
  return outcomes
}

function tell(
  context: Pick<TaskContext, 'display' | 'shipit'>,
  locks: readonly NamedLock[],
  words: { none: string; some: string; event: string },
): void {
  const text = locks.length === 0 ? words.none : `${words.some}\n${locksTable(locks)}`
  say(context, text, words.event, { servers: locks.map(asEvent) })
}

const asEvent = ({ server, lock }: NamedLock) => ({ server, ...lock })

/** If the table is too wide, columns with the highest numbers are left out first. */
const COLUMNS = [
  { title: 'server', nameAtLeast: 16 },
  { title: 'by', nameAtLeast: 12 },
  { title: 'since', dispensable: 2 },
  { title: 'ago', dispensable: 1 },
  { title: 'why', textAtLeast: 16 },
]

const locksTable = (locks: readonly NamedLock[]) =>
  fittedTable(
    [
      COLUMNS.map(({ title }) => title),
      ...locks.map(({ server, lock }) =>
        [server, lock.who, lock.when, duration(Math.max(0, lock.age)), lock.what].map(oneLine),
      ),
    ],
    COLUMNS,
    columnsOf(process.stdout),
  )
