import { posix } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Settings } from '../../config/schema.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { Failure } from '../../report/failures.ts'
import { quote, quotePath } from '../../text/shell-quote.ts'
import { agent, agentPath } from '../context/agent-program.ts'
import type { Context } from '../context/context.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import type { FleetFacts } from '../preflight/preflight.ts'

/** Puts the agent, compressed, where this version of it is missing, and removes older versions. Gives the failures. */
export async function uploadAgent(
  context: Context,
  facts: FleetFacts,
  among: readonly Server[] = context.fleet.servers,
): Promise<Failure[]> {
  const { fleet, settings, signal } = context
  const servers = among.filter((server) => !facts.get(server)?.hasAgent)
  if (servers.length === 0) return []
  for (const { label } of servers) context.display.board().update(label, { phase: 'upload' })
  const script = arrival(settings)
  const outcomes = await fleet.run('upload', () => ({ script, stdin: compressedAgent() }), {
    servers,
    signal,
    stallTimeout: settings.timeouts.stall,
    repeatable: true,
  })
  signal.throwIfAborted()
  return failuresOf(outcomes, 'upload')
}

let compressed: Buffer | undefined

export function compressedAgent(): Buffer {
  compressed ??= gzipSync(agent().content, { level: 9 })
  return compressed
}

/**
 * The script that takes the compressed agent from standard input and renames it into place when its SHA-256 is right, and it is on
 * the disk. Then its
 * process becomes the `command` of the agent, if one is given: a second start of Node would take longer than everything else.
 */
export function arrival(settings: Settings, command = ''): string {
  const path = agentPath(settings)
  const words = [INSTALLER, agent().sha256, String(compressedAgent().length)].map(quote).join(' ')
  return [
    `(cd ${quotePath(posix.dirname(path))} && find . -maxdepth 1 -name 'murder-*.mjs' -mtime +30 -exec rm -f {} +)`,
    `exec ${quote(settings.node)} -e ${words} ${quotePath(path)} ${quote(command)}`,
  ].join('; ')
}

/** A program for Node, which every server has. Arguments: SHA-256, number of bytes to come, path, and command of the agent. */
const INSTALLER = `
const [, sha256, bytes, path, command] = process.argv
const fs = require('fs'), input = process.stdin, part = path + '.' + process.pid + '.part'
let got = Buffer.alloc(0)
const cut = () => { throw Error('the upload arrived incomplete') }
const take = (chunk) => {
  got = Buffer.concat([got, chunk])
  if (got.length < bytes) return
  input.off('data', take).off('end', cut).pause()
  const content = require('zlib').gunzipSync(got.subarray(0, bytes))
  if (require('crypto').createHash('sha256').update(content).digest('hex') !== sha256) throw Error('the upload arrived damaged')
  try {
    const fd = fs.openSync(part, 'w', 0o755)
    fs.writeFileSync(fd, content)
    fs.fsyncSync(fd)
    fs.closeSync(fd)
    fs.renameSync(part, path)
  } finally {
    fs.rmSync(part, { force: true })
  }
  if (!command) process.exit()
  if (got.length > bytes) input.unshift(got.subarray(bytes))
  process.argv = [process.argv[0], path, command]
  import(require('url').pathToFileURL(path))
}
input.on('data', take).on('end', cut)`
