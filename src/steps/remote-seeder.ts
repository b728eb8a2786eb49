import { createReadStream } from 'node:fs'
import { posix } from 'node:path'
import { MurderError } from '../errors.ts'
import { parseEvent } from '../remote/events.ts'
import type { Command, Outcome } from '../remote/fleet.ts'
import type { Server } from '../remote/server.ts'
import { command, quotePath } from '../remote/shell.ts'
import { upload } from '../remote/upload.ts'
import type { FleetFacts } from './check.ts'
import type { Context } from './context.ts'
import type { Transfer } from './make-package.ts'
import { agentPath, transferPath } from './paths.ts'
import { permitOf } from './permits.ts'
import { hasOwnTracker, type Swarm, seedArguments, seederTrackers } from './swarm.ts'

/** Uploads the package once, to the server that seeds, and starts tracker and seeder there in the background. */
export async function startOnServer(
  context: Context,
  transfer: Transfer,
  server: Server,
  facts: FleetFacts,
): Promise<Swarm> {
  const { fleet, settings, signal } = context
  const directory = posix.join(transferPath(settings, transfer.tag), 'seeder')
  const [torrent, file] = [posix.join(directory, 'package.torrent'), posix.join(directory, 'package')]
  const options = { servers: [server], signal, stallTimeout: settings.timeouts.stall }
  const whole = {
    bytes: transfer.length,
    sha256: transfer.sha256,
    open: () => createReadStream(transfer.file),
  }
  const [permits, secret] = [posix.join(directory, 'permits.json'), posix.join(directory, 'secret')]
  const permitted = Buffer.from(JSON.stringify([await permitOf(context, transfer, facts)]))
  const small: [Buffer, string][] = [
    [transfer.torrent, torrent],
    [permitted, permits],
    ...(transfer.secret === undefined ? [] : [[Buffer.from(transfer.secret), secret] as [Buffer, string]]),
  ]
  for (const [content, to] of small)
    must(await upload(fleet, { content, to, mode: 0o600, step: 'seed' }, options))
  must(await upload(fleet, { content: whole, to: file, mode: 0o600, step: 'seed' }, options))

  const start = async (role: string, ...args: string[]): Promise<number> => {
    let port: number | undefined
    const plan = (): Command => ({
      script: command(settings.node, agentPath(settings), role, ...args, '--json', '--run-dir', directory),
      onLine: (line) => {
        const event = parseEvent(line)
        if (event?.event === 'listening') port = event.port
      },
    })
    must(await fleet.run('seed', plan, options))
    if (port !== undefined) return port
    throw new MurderError('NO_SEEDER', `${server.label}: the ${role} did not say where it listens`)
  }
  const tag = ['--tag', transfer.tag]
  const port = String(settings.tracker.port)
  const trackerPort = hasOwnTracker(settings)
    ? await start('tracker', '--port', port, '--permits', permits, ...tag)
    : undefined
  const trackers = seederTrackers(settings, trackerPort, transfer)
  const files = { torrent, content: file, ...(transfer.secret === undefined ? {} : { secret }) }
  const args = seedArguments(context, files, trackers, fleet.servers.length)
  const seederPort = await start('seed', ...args, ...tag)
  const host = settings.announce ?? facts.get(server)?.serverAddress ?? server.host
  return {
    trackerPort,
    seederPort,
    hostFor: (peer) => (peer === server ? '127.0.0.1' : host),
    sent: () => 0,
    broken: new Promise(() => {}),
    async stop() {
      const script = `${command(settings.node, agentPath(settings), 'stop', '--all', '--run-dir', directory)} >/dev/null; ${command('rm', '-rf', directory)}; rmdir ${quotePath(posix.dirname(directory))} 2>/dev/null; true`
      must(await fleet.run('seed', () => ({ script }), { servers: [server], totalTimeout: 30 }))
    },
  }
}

function must(outcomes: readonly Outcome[]): void {
  for (const outcome of outcomes) if (!outcome.ok) throw outcome.error
}
