import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { Server } from '../remote/server.ts'
import { all, quote, quotePath } from '../remote/shell.ts'
import type { Failure } from '../report/index.ts'
import type { FleetFacts } from './check.ts'
import type { Context } from './context.ts'
import { failuresOf } from './fleet-error.ts'
import { agent, agentPath } from './paths.ts'

/**
 * Puts the agent where it is missing: compressed, once for each version of it. Older versions are removed. Gives what
 * failed. `onReady` is called for each server as soon as it has the agent.
 */
export async function uploadAgent(
  context: Context,
  facts: FleetFacts,
  among: readonly Server[] = context.fleet.servers,
  onReady: (server: Server) => void = () => {},
): Promise<Failure[]> {
  const { fleet, settings, signal } = context
  const servers = among.filter((server) => !facts.get(server)?.hasAgent)
  for (const server of among) if (facts.get(server)?.hasAgent) onReady(server)
  if (servers.length === 0) return []
  for (const { label } of servers) context.board().update(label, { phase: 'upload' })
  const { content } = agent()
  const stdin = gzipSync(content, { level: 9 })
  const script = uploadScript(agentPath(settings), settings.node, content)
  const options = { signal, stallTimeout: settings.timeouts.stall }
  const upload = async (server: Server) => {
    const outcomes = await fleet.run('upload', () => ({ script, stdin }), { ...options, servers: [server] })
    if (outcomes[0]?.ok) onReady(server)
    return outcomes
  }
  const outcomes = (await Promise.all(servers.map(upload))).flat()
  signal.throwIfAborted()
  return failuresOf(outcomes, 'upload')
}

/** Unpacks with Node, which is there, and renames only a file whose SHA-256 is right. */
function uploadScript(path: string, node: string, content: Buffer): string {
  const sha256 = createHash('sha256').update(content).digest('hex')
  const program = [
    'const {createHash:h}=require("crypto"),z=require("zlib"),f=require("fs"),c=[]',
    'process.stdin.on("data",d=>c.push(d)).on("end",()=>{',
    'const b=z.gunzipSync(Buffer.concat(c))',
    'if(h("sha256").update(b).digest("hex")!==process.argv[1])throw Error("the upload arrived damaged")',
    'f.writeFileSync(process.argv[2],b,{mode:0o755})})',
  ]
    .join(';')
    .replace('{;', '{')
  const directory = path.slice(0, path.lastIndexOf('/'))
  return all(
    `to=${quotePath(path)}; part="$to.$$.part"; trap 'rm -f "$part"' EXIT`,
    `${quote(node)} -e ${quote(program)} ${quote(sha256)} "$part"`,
    `find ${quotePath(directory)} -maxdepth 1 -name 'murder-*.mjs' ! -newer "$part" -mtime +30 -exec rm -f {} +; true`,
    'mv -f "$part" "$to"',
  )
}
