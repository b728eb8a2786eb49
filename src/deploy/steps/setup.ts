import { columnsOf } from '../../report/output.ts'
import { fittedTable } from '../../text/fitted-table.ts'
import { bytes, oneLine } from '../../text/format.ts'
import type { TaskContext } from '../context/context.ts'
import { uploadAgent } from '../hosts/upload-agent.ts'
import { assertNoFailures } from '../outcome/fleet-error.ts'
import { quietly, say } from '../outcome/say.ts'
import { placesOf } from '../paths/places.ts'
import { inspect } from '../preflight/preflight.ts'
import { describeNode } from '../scripts/node/find-node-script.ts'

/** If the table is too wide, columns with the highest numbers are left out first. */
const COLUMNS = [
  { title: 'server', nameAtLeast: 16 },
  { title: 'node', dispensable: 3 },
  { title: 'free disk', dispensable: 2 },
  { title: 'current release', dispensable: 1 },
  { title: 'agent' },
]

/** `murder:setup`: checks all servers and uploads the agent where it is missing. */
export async function setup(full: TaskContext): Promise<void> {
  const context = quietly(full)
  // Bringing Node takes a while, so progress is shown.
  const { facts, failures } = await inspect(full)
  const asked = [...facts.keys()]
  const notUploaded = await uploadAgent(context, facts, asked)
  const failed = new Set(notUploaded.map(({ server }) => server))
  const servers = asked.filter(({ label }) => !failed.has(label))
  const rows = servers.map((server) => {
    const { node = '', nodePath = '', releases, currentRelease, hasAgent } = facts.get(server) ?? {}
    const free = releases?.free ?? Number.POSITIVE_INFINITY
    return {
      server: server.label,
      node,
      nodePath,
      free: Number.isFinite(free) ? free : null,
      current: currentRelease ?? null,
      agent: hasAgent ? 'there' : 'uploaded',
    }
  })
  const cells = rows.map(({ server, node, nodePath, free, current, agent }, index) => [
    oneLine(server),
    describeNode(node, nodePath, placesOf(context, servers[index]).remotePath),
    free === null ? '?' : bytes(free),
    current ?? 'none',
    agent,
  ])
  const head = COLUMNS.map(({ title }) => title)
  const text = fittedTable([head, ...cells], COLUMNS, columnsOf(process.stdout))
  if (rows.length > 0) say(context, text, 'setup', { servers: rows })
  failures.push(...notUploaded)
  assertNoFailures(context, failures, { one: 'is set up', several: 'are set up' })
}
