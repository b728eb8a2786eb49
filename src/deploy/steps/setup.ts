import { bytes } from '../../text/format.ts'
import { table } from '../../text/table.ts'
import type { Context } from '../context/context.ts'
import { uploadAgent } from '../hosts/upload-agent.ts'
import { assertNoFailures } from '../outcome/fleet-error.ts'
import { quietly, say } from '../outcome/say.ts'
import { inspect } from '../preflight/preflight.ts'

/** `murder:setup`: checks all servers and uploads the agent where it is missing. */
export async function setup(full: Context): Promise<void> {
  const context = quietly(full)
  const { facts, failures } = await inspect(context)
  const asked = [...facts.keys()]
  const notUploaded = await uploadAgent(context, facts, asked)
  const failed = new Set(notUploaded.map(({ server }) => server))
  const servers = asked.filter(({ label }) => !failed.has(label))
  const rows = servers.map((server) => {
    const { node = '', releases, currentRelease, hasAgent } = facts.get(server) ?? {}
    const free = releases?.free ?? Number.POSITIVE_INFINITY
    return {
      server: server.label,
      node,
      free: Number.isFinite(free) ? free : null,
      current: currentRelease ?? null,
      agent: hasAgent ? 'there' : 'uploaded',
    }
  })
  const text = table([
    ['server', 'node', 'free disk', 'current release', 'agent'],
    ...rows.map(({ server, node, free, current, agent }) => [
      server,
      node,
      free === null ? '?' : bytes(free),
      current ?? 'none',
      agent,
    ]),
  ])
  if (rows.length > 0) say(context, text, 'setup', { servers: rows })
  failures.push(...notUploaded)
  assertNoFailures(context, failures, 'the others are set up')
}
